"""What a network has to do for one picture, worked out by hand, and the threads that its package is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from exporters import picture_work
from exporters.export import export_package
from exporters.picture_work import multiply_adds, worthwhile_threads
from models.manifest import read_manifest
from models.package import BUNDLED, bundled_names
from tests.exporters.checkpoints import write_checkpoint


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        # 4x4 places, 5 outputs of 3x3x2 inputs each.
        (nn.Conv2d(2, 5, 3, padding=1), (1, 2, 4, 4), 4 * 4 * 5 * 18),
        # Every channel for itself.
        (nn.Conv2d(6, 6, 3, padding=1, groups=6), (1, 6, 4, 4), 4 * 4 * 6 * 9),
        # Every input place reaches 2x2 places of 5 channels.
        (nn.ConvTranspose2d(2, 5, 2, stride=2), (1, 2, 4, 4), 4 * 4 * 2 * 5 * 4),
        # Seven tokens.
        (nn.Linear(3, 4), (1, 7, 3), 7 * 3 * 4),
        (nn.ReLU(), (1, 7, 3), 0),
    ],
    ids=["convolution", "depthwise", "transposed", "linear", "nothing to multiply"],
)
def test_multiply_adds_by_hand(layer: nn.Module, shape: tuple[int, ...], expected: int) -> None:
    network = nn.Sequential(layer)
    assert multiply_adds(network, lambda: network(torch.zeros(shape))) == expected
    assert not layer._forward_hooks  # nothing stays behind


def test_only_what_runs_is_counted() -> None:
    network = nn.ModuleDict({"used": nn.Linear(3, 4), "idle": nn.Linear(300, 400)})
    assert multiply_adds(network, lambda: network["used"](torch.zeros(1, 3))) == 12


def test_a_large_network_is_left_to_onnx_runtime() -> None:
    small, large = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3)
    picture = torch.zeros(1, 64, 128, 128)
    assert worthwhile_threads(small, lambda: small(picture[:, :3])) == 1
    assert worthwhile_threads(large, lambda: large(picture)) is None


def test_the_package_of_a_small_model_asks_for_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = write_checkpoint("sketch-cnn", tmp_path / "checkpoint")
    assert read_manifest(export_package(checkpoint, tmp_path / "small")).threads == 1
    monkeypatch.setattr(picture_work, "_ONE_THREAD_UP_TO", 1000)
    assert read_manifest(export_package(checkpoint, tmp_path / "large")).threads is None


def test_the_bundled_sketch_models_are_run_as_they_would_be_exported() -> None:
    manifests = [read_manifest(BUNDLED / name) for name in bundled_names()]
    assert {manifest.threads for manifest in manifests if manifest.task == "sketch_classification"} == {1}
