"""`mirilla train sketch` from drawings to a package that `mirilla run` takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from tests.end_to_end.conftest import Mirilla
from tests.models.training.drawn_files import write_bitmaps


def test_drawings_become_a_package_that_guesses(mirilla: Mirilla, tmp_path: Path) -> None:
    write_bitmaps(tmp_path / "drawings", 40)
    small = [
        "--set",
        "channels=8,16",
        "--set",
        "depths=1,1",
        "--set",
        "batch_size=16",
        "--set",
        "mixed_precision=false",
    ]
    train = ["train", "sketch", "--data", "drawings", "--output", "mine", "--epochs", "2", *small]
    result = mirilla(*train)
    assert result.returncode == 0, result.stderr
    assert "epoch 2 of 2" in result.stderr
    assert result.stdout.startswith("mine: top-1 ")
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parity"]["passed"]
    assert manifest["trained_with"].startswith("mirilla train sketch --data ")

    run = mirilla("run", "--source", "pattern:320x240@10x3", "--model", "mine", "--sink", "seen.jsonl")
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["results"]["mine"]["task"] for line in lines] == ["sketch_classification"] * 3

    # The package is not replaced unless that is asked for, and that is said before the training.
    again = mirilla(*train)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert "epoch" not in again.stderr
    assert mirilla(*train, "--resume", "--overwrite").returncode == 0


def test_a_package_in_eight_bits_is_measured_as_it_ships(mirilla: Mirilla, tmp_path: Path) -> None:
    write_bitmaps(tmp_path / "drawings", 40)
    train = ["train", "sketch", "--data", "drawings", "--output", "mine", "--epochs", "4"]
    for setting in ("channels=8,16", "depths=1,1", "batch_size=16", "mixed_precision=false", "package_precision=int8"):
        train += ["--set", setting]
    result = mirilla(*train)
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["precision"] == "int8"
    assert "--set package_precision=int8" in manifest["trained_with"]
    # The last tenth of each file, through ONNX Runtime itself.
    held_out = [np.load(tmp_path / "drawings" / f"{name}.npz")["bitmaps"][36:] for name in manifest["class_names"]]
    session = onnxruntime.InferenceSession(tmp_path / "mine" / "model.onnx", providers=["CPUExecutionProvider"])
    pixels = np.concatenate(held_out).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    guesses = session.run(None, {"pixel_values": pixels})[0].argmax(axis=1)
    top1 = float((guesses == np.repeat(np.arange(3), 4)).mean())
    assert manifest["accuracy"]["top1"] == top1
    assert f"top-1 {top1:.4f}" in (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    # Its ranges were set by drawings: nothing is measured anew while it runs.
    kinds = {node.op_type for node in onnx.load(str(tmp_path / "mine" / "model.onnx")).graph.node}
    assert "QuantizeLinear" in kinds
    assert "DynamicQuantizeLinear" not in kinds


def test_what_cannot_be_trained_on_is_one_line(mirilla: Mirilla, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        (["--data", "empty"], "holds no Quick, Draw! files"),
        (["--data", "empty", "--set", "chanels=3"], "did you mean 'channels'?"),
    ):
        result = mirilla("train", "sketch", "--output", "mine", *arguments)
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
