"""From a checkpoint to a run, as a user does it: exported, refused where it failed, fetched from a hub on first use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from exporters.export import export_package
from models.manifest import read_manifest
from models.zoo import zoo
from tests.end_to_end.pages import ROOT
from tests.exporters.checkpoints import write_checkpoint
from tests.models.hub_stand_in import COMMIT, Hub, serving

Call = Callable[..., "subprocess.CompletedProcess[str]"]
RUN = ("run", "--source", "pattern", "--frames", "3", "--sink", "null", "--quiet", "--model")


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """`call(*arguments, extra=True, **variables)`: the command, with a home of its own; `extra=False` hides torch."""

    def run(*arguments: str, extra: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        hidden = tmp_path / "hidden"
        hidden.mkdir(exist_ok=True)
        (hidden / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
        path = str(ROOT) if extra else f"{hidden}:{ROOT}"
        environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        environment |= {"MIRILLA_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "*"}
        # Nothing here may reach the true hub.
        environment |= {"HF_ENDPOINT": "http://127.0.0.1:9"} | variables
        return subprocess.run(
            [sys.executable, "-m", "stream", *arguments],
            capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment, check=False,
        )  # fmt: skip

    return run


def said(result: subprocess.CompletedProcess[str], code: int) -> str:
    """What went to standard error: one line."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("mirilla: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_a_checkpoint_becomes_a_model_that_runs(call: Call, tmp_path: Path) -> None:
    write_checkpoint("segformer", tmp_path / "tiny")
    exported = call("export", "tiny")
    assert exported.returncode == 0, exported.stderr
    assert "comparing ONNX Runtime with PyTorch" in exported.stdout
    assert call(*RUN, "tiny").returncode == 0
    assert "exists already" in said(call("export", "tiny"), 2)
    listed = call("models").stdout
    assert "tiny" in listed
    assert "exported" in listed
    assert "rt-detr-v2-r18" in listed


def test_the_list_of_models_is_whole_however_narrow_the_terminal(call: Call, tmp_path: Path) -> None:
    (tmp_path / "home" / "packages" / "torn").mkdir(parents=True)
    (tmp_path / "home" / "packages" / "torn" / "manifest.json").write_text("{")
    listed = call("models", COLUMNS="60").stdout
    assert "damaged: a run with it says how" in listed
    for name, entry in zoo().items():
        row = next(line for line in listed.splitlines() if line.split()[:1] == [name])
        assert entry.task in row
        assert f"{entry.parameters / 1e6:.1f} M" in row
        assert entry.licence in row


def test_a_model_that_failed_is_refused_until_insisted_on(call: Call, tmp_path: Path) -> None:
    write_checkpoint("yolos", tmp_path / "tiny")
    # Ranges that were set by black pictures cut off everything that a photograph has.
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((40, 60, 3), np.uint8))
    failed = call("export", "tiny", "--precision", "int8", "--calibrate", "black.png", "--min-agreement", "1")
    assert "marked as failed" in said(failed, 1)
    assert "--unverified" in said(call(*RUN, "tiny"), 2)
    assert call(*RUN, "tiny", "--unverified").returncode == 0
    assert "failed" in call("models").stdout


def test_a_zoo_model_is_exported_on_first_use(call: Call, tmp_path: Path) -> None:
    hub = Hub()
    hub.add("hustvl/yolos-tiny", write_checkpoint("yolos", tmp_path / "checkpoint"))
    with serving(hub):
        first = call(*RUN[:-2], "--model", "yolos-tiny", HF_ENDPOINT=hub.endpoint)
    assert first.returncode == 0, first.stderr
    assert "yolos-tiny: exporting it from the hub, once" in first.stderr
    commit = zoo()["yolos-tiny"].revision
    assert f"hustvl/yolos-tiny at commit {commit}" in first.stderr
    assert read_manifest(tmp_path / "home" / "packages" / "yolos-tiny").source.revision == commit
    # From then on nobody is asked.
    second = call(*RUN, "yolos-tiny")
    assert second.returncode == 0, second.stderr
    assert "exporting" not in second.stderr


def test_without_the_extra_a_ready_model_is_fetched(call: Call, tmp_path: Path) -> None:
    package = export_package(write_checkpoint("yolos", tmp_path / "checkpoint"), tmp_path / "ready")
    (package / "manifest.json").unlink()
    (package / "onnx").mkdir()
    (package / "model.onnx").rename(package / "onnx" / "model.onnx")
    hub = Hub()
    hub.add("Xenova/yolos-tiny", package)
    with serving(hub):
        first = call(*RUN[:-2], "--model", "yolos-tiny", extra=False, HF_ENDPOINT=hub.endpoint)
    assert first.returncode == 0, first.stderr
    assert "fetched ready from the hub" in first.stderr
    assert f"Xenova/yolos-tiny at commit {COMMIT}, which 'main' is now" in first.stderr
    assert call(*RUN, "yolos-tiny", extra=False).returncode == 0


def test_without_the_extra_and_without_a_ready_model_one_line_says_so(call: Call) -> None:
    line = said(call(*RUN, "d-fine-small", extra=False), 2)
    assert "names no ready ONNX model" in line
    assert "mirilla[export]" in line
    assert "mirilla[export]" in said(call("export", "tiny", extra=False), 2)


def test_a_hub_out_of_reach_is_one_line(call: Call) -> None:
    line = said(call("export", "yolos-tiny"), 2)
    assert "(Connection refused)" in line
    assert line.endswith("give a folder with the checkpoint, or a ready package")


def test_tuning_keeps_one_variant(call: Call, tmp_path: Path) -> None:
    write_checkpoint("vit", tmp_path / "tiny")
    tuned = call("export", "tiny", "--tune", "pattern")
    assert tuned.returncode == 0, tuned.stderr
    assert "agreement" in tuned.stdout
    assert "kept: " in tuned.stdout
    assert call(*RUN, "tiny").returncode == 0
