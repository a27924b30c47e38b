"""A checkpoint becomes a package that the runtime takes, or an error that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from exporters import export as export_module
from exporters.errors import ExportError
from exporters.export import ExportOptions, export_package
from exporters.graphs import Graph
from models.errors import ModelError
from models.manifest import read_manifest
from models.networks.sketch_cnn import SketchCnn, SketchCnnConfig, SketchResNet, SketchResNetConfig, label_settings
from models.onnx_session import OnnxSession
from models.package import find_package

NAMES = ["cat", "alarm clock", "star"]


def small_model(kind: str) -> SketchCnn | SketchResNet:
    torch.manual_seed(5)
    labels = label_settings(NAMES)
    if kind == "notes":
        return SketchCnn(SketchCnnConfig(**labels))
    model = SketchResNet(SketchResNetConfig(channels=(8, 16), depths=(1, 1), mirrored=kind == "mirrored", **labels))
    # Statistics of a trained batch norm, so that folding it into the convolutions is put to the test.
    for _ in range(3):
        model(torch.rand(16, 1, 28, 28))
    model.train(mode=False)
    return model


def write_checkpoint(folder: Path, kind: str = "resnet") -> Path:
    small_model(kind).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["notes", "resnet", "mirrored"])
def test_the_package_answers_as_pytorch_does(tmp_path: Path, kind: str) -> None:
    package = export_package(write_checkpoint(tmp_path / "checkpoint", kind), tmp_path / "tiny")
    session = OnnxSession(package / "model.onnx", device="cpu")
    model = small_model(kind)
    for batch in (1, 2, 5, 8):
        pixels = np.random.default_rng(batch).random((batch, 1, 28, 28), dtype=np.float32)
        with torch.inference_mode():
            expected = model(torch.from_numpy(pixels)).logits.numpy()
        got = session.run({"pixel_values": pixels})
        assert list(got) == ["logits"]
        np.testing.assert_allclose(got["logits"], expected, atol=1e-5)


def test_the_mirrored_network_does_not_know_left_from_right(tmp_path: Path) -> None:
    package = export_package(write_checkpoint(tmp_path / "checkpoint", "mirrored"), tmp_path / "tiny")
    session = OnnxSession(package / "model.onnx", device="cpu")
    pixels = np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32)
    there, back = (session.run({"pixel_values": p})["logits"] for p in (pixels, pixels[..., ::-1].copy()))
    np.testing.assert_allclose(there, back, atol=1e-5)
    assert np.abs(there[0] - there[1]).max() > 1e-3


def test_the_manifest_says_what_was_measured(tmp_path: Path) -> None:
    steps: list[str] = []
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    record = {
        "command": "mirilla train sketch --seed 1",
        "licence": "Apache-2.0",
        "attribution": "Quick, Draw!",
        "held_out": {"drawings": 10, "top1": 0.5, "top5": 0.75},
    }
    (checkpoint / "training.json").write_text(json.dumps(record), encoding="utf-8")
    (checkpoint / "README.md").write_text("# card\n", encoding="utf-8")
    package = export_package(checkpoint, tmp_path / "tiny", on_step=steps.append)
    assert len(steps) == 3
    assert sorted(path.name for path in package.iterdir()) == ["README.md", "manifest.json", "model.onnx"]
    manifest = find_package(package).manifest  # checks the sha256 and the parity
    assert manifest.name == "tiny"
    assert manifest.class_names == tuple(NAMES)
    assert (manifest.task, manifest.decoder) == ("sketch_classification", "softmax")
    assert (manifest.input.height, manifest.input.width, manifest.input.channels) == (28, 28, 1)
    assert manifest.opset == onnx.load(str(package / "model.onnx")).opset_import[0].version
    assert manifest.accuracy == {"top1": 0.5, "top5": 0.75}
    assert manifest.trained_with == "mirilla train sketch --seed 1"
    assert manifest.parity is not None
    assert manifest.parity.passed
    assert manifest.parity.batch_sizes == (1, 2, 8)
    assert manifest.parity.inputs >= 4
    assert 0 <= manifest.parity.max_abs_difference["logits"] < 1e-4


def break_one_weight(path: Path) -> None:
    """Add a little to one number of the last weights in the graph."""
    graph = onnx.load(str(path))
    weights = next(node for node in graph.graph.initializer if list(node.dims) == [len(NAMES)])
    values = numpy_helper.to_array(weights).copy()
    values[0] += 0.01
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(graph, str(path))


def test_a_broken_graph_fails_and_the_runtime_refuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    true_export = export_module._export_graph

    def broken_export(graph: Graph, path: Path, opset: int, size_hw: tuple[int, int]) -> None:
        true_export(graph, path, opset, size_hw)
        break_one_weight(path)

    monkeypatch.setattr(export_module, "_export_graph", broken_export)
    with pytest.raises(ExportError, match=r"logits by up to 0\.01, .*marked as failed"):
        export_package(checkpoint, tmp_path / "tiny")
    manifest = read_manifest(tmp_path / "tiny")
    assert manifest.parity is not None
    assert not manifest.parity.passed
    assert manifest.parity.max_abs_difference["logits"] == pytest.approx(0.01, rel=0.01)
    with pytest.raises(ModelError, match="did not pass its parity check"):
        find_package(tmp_path / "tiny")


def test_the_course_notes_checkpoint_exports_too(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    torch.save(small_model("notes").network.state_dict(), tmp_path / "notes" / "pytorch_model.bin")
    (tmp_path / "notes" / "class_names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    package = export_package(tmp_path / "notes", tmp_path / "tiny", ExportOptions(name="from-notes"))
    assert read_manifest(package).name == "from-notes"


def test_a_package_is_replaced_only_when_asked(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    export_package(checkpoint, tmp_path / "tiny")
    (tmp_path / "tiny" / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(ExportError, match="exists already"):
        export_package(checkpoint, tmp_path / "tiny")
    assert (tmp_path / "tiny" / "mine.txt").exists()
    export_package(checkpoint, tmp_path / "tiny", ExportOptions(overwrite=True))
    assert not (tmp_path / "tiny" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "config.json").unlink(), "holds no checkpoint"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"torn"), "weights that cannot be read"),
        (lambda folder: (folder / "training.json").write_text("{}", encoding="utf-8"), "no training record"),
    ],
    ids=["no config", "torn weights", "empty record"],
)
def test_a_spoilt_checkpoint_leaves_nothing(tmp_path: Path, spoil: object, reason: str) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    assert callable(spoil)
    spoil(checkpoint)
    with pytest.raises(ExportError, match=reason):
        export_package(checkpoint, tmp_path / "out" / "tiny")
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_an_opset_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(ExportError, match="cannot export it with opset 3"):
        export_package(checkpoint, tmp_path / "tiny", ExportOptions(opset=3))
    assert not (tmp_path / "tiny").exists()
