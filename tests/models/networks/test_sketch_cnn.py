"""The sketch networks, and the checkpoints that they are read from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from models.errors import ModelError
from models.networks.sketch_cnn import (
    SketchCnn,
    SketchCnnConfig,
    SketchResNet,
    SketchResNetConfig,
    label_settings,
    load_sketch_model,
)

NAMES = ["cat", "alarm clock", "piña"]


def notes_network(classes: int) -> nn.Sequential:
    """The course's network as its notes build it."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1152, 256), nn.ReLU(), nn.Linear(256, classes),
    )  # fmt: skip


def write_notes_folder(folder: Path, classes: int, names: list[str]) -> nn.Sequential:
    torch.manual_seed(3)
    network = notes_network(classes)
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    (folder / "class_names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return network


def test_the_notes_checkpoint_loads_and_answers_alike(tmp_path: Path) -> None:
    network = write_notes_folder(tmp_path, 3, NAMES)
    pixels = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    model = load_sketch_model(tmp_path)
    with torch.inference_mode():
        assert torch.equal(model(pixels).logits, network(pixels))
    assert model.config.id2label == dict(enumerate(NAMES))


@pytest.mark.parametrize(
    ("classes", "names", "message"),
    [
        (3, NAMES[:2], "expected 3 class names, got 2"),
        (2, NAMES, "expected 2 class names, got 3"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path: Path, classes: int, names: list[str], message: str) -> None:
    write_notes_folder(tmp_path, classes, names)
    with pytest.raises(ModelError, match=message):
        load_sketch_model(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_notes_folder(tmp_path, 3, NAMES)
    torch.save(nn.Sequential(nn.Linear(2, 3)).state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="expected the weights"):
        load_sketch_model(tmp_path)


class _Intruder:
    """Runs a command when it is unpickled by someone who trusts it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_a_pickle_that_runs_code_is_refused_unrun(tmp_path: Path) -> None:
    write_notes_folder(tmp_path, 3, NAMES)
    torch.save({"0.weight": _Intruder(tmp_path / "trace")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="read safely"):
        load_sketch_model(tmp_path)
    assert not (tmp_path / "trace").exists()


def test_a_damaged_weights_file_is_one_clear_error(tmp_path: Path) -> None:
    write_notes_folder(tmp_path, 3, NAMES)
    (tmp_path / "pytorch_model.bin").write_bytes(b"not weights")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin"):
        load_sketch_model(tmp_path)


def test_a_folder_without_a_checkpoint_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no sketch checkpoint"):
        load_sketch_model(tmp_path)
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="no transformers checkpoint"):
        load_sketch_model(tmp_path)


@pytest.mark.parametrize(
    "model",
    [
        SketchCnn(SketchCnnConfig(**label_settings(NAMES))),
        SketchResNet(SketchResNetConfig(channels=(8, 16), depths=(1, 2), **label_settings(NAMES))),
    ],
    ids=["notes", "resnet"],
)
def test_a_transformers_checkpoint_survives_the_round_trip(tmp_path: Path, model: SketchCnn | SketchResNet) -> None:
    model.train(mode=False)
    model.save_pretrained(tmp_path)
    again = load_sketch_model(tmp_path)
    pixels = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.equal(again(pixels).logits, model(pixels).logits)
    assert not again.training
    assert again.config.id2label == dict(enumerate(NAMES))
    assert not list(tmp_path.glob("*.bin")), "safetensors, no pickle"


def test_the_loss_is_the_cross_entropy_of_the_logits() -> None:
    model = SketchCnn(SketchCnnConfig(**label_settings(NAMES)))
    pixels, labels = torch.rand(4, 1, 28, 28), torch.tensor([0, 2, 1, 1])
    output = model(pixels, labels=labels)
    by_hand = -torch.log_softmax(output.logits, dim=1)[torch.arange(4), labels].mean()
    torch.testing.assert_close(output.loss, by_hand)
    loss, logits = model(pixels, labels=labels, return_dict=False)
    torch.testing.assert_close((loss, logits), (output.loss, output.logits))


def test_depths_and_channels_have_to_agree() -> None:
    with pytest.raises(ValueError, match="as many depths as channels"):
        SketchResNetConfig(channels=(8, 16), depths=(1,))
