"""What a checkpoint folder may hold, and what is refused in one line before anything is run or written."""

from __future__ import annotations

import errno
import importlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

from exporters import export as export_module
from exporters.checkpoint import open_checkpoint
from exporters.errors import ExportError
from exporters.export import ExportOptions, export_package
from models import load_model
from models.manifest import read_manifest
from models.onnx_session import OnnxSession
from tests.exporters.checkpoints import ARCHITECTURES, build, write_checkpoint

# It is untyped.
transformers: Any = importlib.import_module("transformers")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint("vit", tmp_path / "checkpoint")


def edit_config(folder: Path, **fields: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def as_pickle(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "preprocessor_config.json is missing"),
        (lambda folder: (folder / "preprocessor_config.json").write_text("{"), "no image processor that can be read"),
        (lambda folder: (folder / "config.json").unlink(), "holds no checkpoint: expected config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "no JSON"),
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no weights"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"torn"), "weights that cannot be read"),
        (lambda folder: edit_config(folder, hidden_size=16), "weights that cannot be read"),
        # A language model.
        (lambda folder: edit_config(folder, architectures=["GPT2LMHeadModel"]), "none that Mirilla exports"),
        (lambda folder: edit_config(folder, architectures=None), "none that Mirilla exports"),
        # An architecture of tomorrow.
        (lambda folder: edit_config(folder, model_type="vit9"), "cannot read it"),
        # One that brings its own code.
        (lambda folder: edit_config(folder, auto_map={"AutoConfig": "evil.Config"}), "which Mirilla never does"),
    ],
    ids=[
        *("no processor", "torn processor", "no config", "torn config", "no weights", "torn weights", "other weights"),
        *("language model", "no architecture", "unknown type", "remote code"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    checkpoint: Path, tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(checkpoint)
    with pytest.raises(ExportError, match=message) as caught:
        export_package(checkpoint, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_weights_that_lack_a_part_are_refused(checkpoint: Path) -> None:
    weights = load_file(checkpoint / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExportError, match=r"the weights lack 'classifier\.weight'"):
        open_checkpoint(checkpoint)


def test_a_backbone_of_another_library_is_named(tmp_path: Path) -> None:
    checkpoint = write_checkpoint("detr", tmp_path)
    edit_config(checkpoint, use_timm_backbone=True, backbone="resnet50", backbone_config=None)
    with pytest.raises(ExportError, match=r"built with a library .* timm .*revision") as caught:
        open_checkpoint(checkpoint)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("object-detection", "holds a ViTForImageClassification, which does image-classification"),
        ("image-clasification", "is none of object-detection"),
    ],
    ids=["another task", "no task"],
)
def test_the_wrong_task_is_refused(checkpoint: Path, task: str, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        open_checkpoint(checkpoint, task)


@pytest.mark.parametrize("name", ["detr", "maskformer", "clip", "vitpose", "sam", "unet", "dpt-depth"])
def test_the_task_is_read_off_the_architecture(tmp_path: Path, name: str) -> None:
    opened = open_checkpoint(write_checkpoint(name, tmp_path))
    assert opened.task.name == ARCHITECTURES[name].task
    assert not opened.model.training


def test_a_safe_pickle_is_read(checkpoint: Path) -> None:
    as_pickle(checkpoint)
    weights = open_checkpoint(checkpoint).model.state_dict()
    for name, tensor in build("vit").state_dict().items():
        assert torch.equal(weights[name], tensor)


def test_a_pickle_that_runs_code_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    with (checkpoint / "pytorch_model.bin").open("wb") as file:
        pickle.dump(Bomb(tmp_path / "ran"), file)
    with pytest.raises(ExportError, match="weights that cannot be read"):
        open_checkpoint(checkpoint)
    assert not (tmp_path / "ran").exists()


def test_safetensors_come_before_a_pickle(checkpoint: Path, tmp_path: Path) -> None:
    with (checkpoint / "pytorch_model.bin").open("wb") as file:
        pickle.dump(Bomb(tmp_path / "ran"), file)
    open_checkpoint(checkpoint)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_one_line(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export_module, "export", full)
    with pytest.raises(ExportError, match="cannot be written: No space left on device"):
        export_package(checkpoint, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_given_size_is_the_only_one(tmp_path: Path) -> None:
    checkpoint = write_checkpoint("yolos", tmp_path / "checkpoint")
    package = export_package(checkpoint, tmp_path / "out", ExportOptions(size_hw=(64, 96), batch=2))
    assert OnnxSession(package / "model.onnx", device="cpu").inputs[0].shape == (2, 3, 64, 96)


def test_a_size_that_the_network_does_not_take_is_said(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"vit: PyTorch's own network does not take 40x40 .* give another --size"):
        export_package(checkpoint, tmp_path / "out", ExportOptions(size_hw=(40, 40)))


def test_labels_replace_the_checkpoints_own(checkpoint: Path, tmp_path: Path) -> None:
    options = ExportOptions(labels=("gato", "reloj", "estrella"))
    assert read_manifest(export_package(checkpoint, tmp_path / "out", options)).class_names == options.labels
    with pytest.raises(ExportError, match="--labels: 2 names for a checkpoint with 3 classes"):
        export_package(checkpoint, tmp_path / "out", ExportOptions(labels=("a", "b"), overwrite=True))


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *((name, precision) for name in ("vit", "segformer", "yolos") for precision in ("fp16", "int8")),
        # one tensor that two operators without half precision read
        ("detr", "fp16"),
    ],
)
def test_other_precisions_are_measured_too(tmp_path: Path, name: str, precision: str) -> None:
    checkpoint = write_checkpoint(name, tmp_path / "checkpoint")
    plain = export_package(checkpoint, tmp_path / "fp32")
    package = export_package(
        checkpoint,
        tmp_path / precision,
        ExportOptions(precision=precision, min_agreement=0.5),  # type: ignore[arg-type]
    )
    manifest = read_manifest(package)
    assert manifest.precision == precision
    assert manifest.parity is not None
    assert max(manifest.parity.max_abs_difference.values()) > 0
    assert (package / "model.onnx").read_bytes() != (plain / "model.onnx").read_bytes()
    load_model(package, device="cpu", threads=1)(np.zeros((30, 40, 3), np.uint8))


def test_a_static_int8_model_has_its_ranges_from_the_pictures(tmp_path: Path) -> None:
    checkpoint = write_checkpoint("segformer", tmp_path / "checkpoint")
    pictures = [np.random.default_rng(i).integers(0, 256, (40, 50, 3), dtype=np.uint8) for i in range(3)]
    options = ExportOptions(precision="int8", calibration=pictures, min_agreement=0.5)
    package = export_package(checkpoint, tmp_path / "out", options)
    kinds = {node.op_type for node in onnx.load(str(package / "model.onnx")).graph.node}
    assert "QuantizeLinear" in kinds
    assert "DynamicQuantizeLinear" not in kinds
