"""What the doctor finds on machines that are well, that lack something, and where something is broken."""

from __future__ import annotations

import io
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from models.cuda_libraries import Obstacle, cuda_obstacle
from models.errors import ModelError
from stream.doctor import engines, software
from stream.doctor.devices import device_findings
from stream.doctor.engines import graphics_card, model_findings, video_findings
from stream.doctor.finding import Finding
from stream.doctor.software import PACKAGES, RUNTIMES, software_findings
from stream.doctor.view import run_doctor
from stream.errors import SinkError
from stream.sources.cameras import Camera
from tests.stream.sources.camera_double import CameraDouble, Play

ROOT = Path(__file__).parent.parent.parent


def by_name(findings: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def machine(**changes: str | None) -> Callable[[str], str | None]:
    """Versions on a machine that has what Mirilla needs, but for the changes, in which `_` stands for `-`."""
    versions: dict[str, str | None] = dict.fromkeys((*PACKAGES, "onnxruntime-gpu", "mirilla"), "1.0")
    versions |= {name.replace("_", "-"): version for name, version in changes.items()}
    return versions.get


def test_every_package_that_mirilla_requires_is_looked_for() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[><=;]", requirement)[0].strip() for requirement in required}
    assert names == {*PACKAGES, *RUNTIMES}


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({}, "numpy", ("works", "1.0", None)),
        ({"numpy": None}, "numpy", ("absent", "not installed", "pip install numpy")),
        # either build of ONNX Runtime will do
        ({"onnxruntime_gpu": None, "onnxruntime": "2.0"}, "onnxruntime", ("works", "2.0", None)),
        ({"onnxruntime_gpu": None}, "onnxruntime-gpu", ("absent", "not installed", "pip install onnxruntime-gpu")),
        # both overwrite each other's files, and CUDA is gone
        (
            {"onnxruntime": "2.0"},
            "onnxruntime-gpu and onnxruntime",
            (
                "broken",
                "are in each other's way",
                "pip uninstall -y onnxruntime-gpu onnxruntime; pip install onnxruntime-gpu",
            ),
        ),
        (
            {"opencv_python_headless": "5.0"},
            "opencv-python and opencv-python-headless",
            (
                "broken",
                "are in each other's way",
                "pip uninstall -y opencv-python opencv-python-headless; pip install opencv-python",
            ),
        ),
        # extras are no need
        (
            {"torch": "2.0", "transformers": "4.57.6"},
            "extra [export]",
            ("absent", "without optimum-onnx, onnx", "pip install 'mirilla[export]', to export and train models"),
        ),
        (
            {"faster_coco_eval": "1", "matplotlib": "3"},
            "extra [eval]",
            ("works", "faster-coco-eval 1, matplotlib 3", None),
        ),
        ({"mirilla": None}, "mirilla", ("works", "not installed, run from its folder", None)),
    ],
)
def test_versions_and_what_is_in_the_way(
    changes: dict[str, str | None], name: str, expected: tuple[str, str, str | None]
) -> None:
    found = by_name(software_findings(machine(**changes)))[name]
    assert (found.state, found.says, found.mend) == expected
    assert found.is_obstacle == (not name.startswith("extra") and expected[0] != "works")


def test_an_old_python_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "LEAST_PYTHON", (99, 0))
    found = by_name(software_findings(machine()))["Python"]
    assert (found.state, found.mend, found.is_obstacle) == ("broken", "install Python 99.0 or newer", True)


def test_a_clip_is_encoded_and_read_again() -> None:
    found = by_name(video_findings())
    assert re.fullmatch(r"1280x720 at \d+ frames a second \(libavcodec [\d.]+\)", found["H.264 encoder"].says)
    assert re.fullmatch(r"1280x720 at \d+ frames a second", found["H.264 decoder"].says)
    assert not any(finding.is_obstacle for finding in found.values())


def test_an_encoder_that_fails_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> float:
        raise SinkError("no libx264 here")

    monkeypatch.setattr(engines, "_encode", fail)
    (found,) = video_findings()
    assert (found.name, found.state, found.says, found.is_obstacle) == (
        "H.264 encoder", "broken", "no libx264 here", True,
    )  # fmt: skip


def test_the_bundled_model_is_run_on_the_cpu_and_on_cuda_where_it_works() -> None:
    found = by_name(model_findings())
    assert re.fullmatch(r"runs quickdraw-32 in \d+\.\d\d ms", found["CPU"].says)
    assert found["CPU"].is_needed
    assert found["CUDA"].state == ("works" if cuda_obstacle() is None else "absent")


CARD = "NVIDIA H200, 143771 MiB, driver 580.65.06"


@pytest.mark.parametrize(
    ("card", "obstacle", "expected"),
    [
        # no card, no CUDA: nothing is wrong
        (
            "",
            Obstacle("the NVIDIA driver is missing", "install it"),
            ("absent", "the NVIDIA driver is missing", "install it"),
        ),
        # a card that waits for libraries
        (
            CARD,
            Obstacle("libcublasLt.so.13 is missing", "pip install 'mirilla[cuda]'"),
            ("broken", f"libcublasLt.so.13 is missing, for {CARD}", "pip install 'mirilla[cuda]'"),
        ),
        # all libraries load, and the inference fails
        (CARD, None, ("broken", "device: 'cuda': out of memory", "close other programs")),
    ],
)
def test_a_card_that_is_not_used_is_explained(
    card: str, obstacle: Obstacle | None, expected: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def session(_path: Path, *, device: str) -> None:
        raise ModelError(f"device: '{device}': out of memory; close other programs")

    monkeypatch.setattr(engines, "graphics_card", lambda: card)
    monkeypatch.setattr(engines, "cuda_obstacle", lambda: obstacle)
    monkeypatch.setattr(engines, "OnnxSession", session)
    found = by_name(model_findings())["CUDA"]
    assert (found.state, found.says, found.mend) == expected
    assert not found.is_obstacle


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("NVIDIA H200, 143771 MiB, 580.65.06\n", CARD),
        ("A, 1 MiB, 5\nB, 2 MiB, 5\n", "A, 1 MiB, driver 5; B, 2 MiB, driver 5"),
        ("No devices were found\n", ""),
        (FileNotFoundError("nvidia-smi"), ""),
        (subprocess.TimeoutExpired("nvidia-smi", 10), ""),
        (subprocess.CalledProcessError(9, "nvidia-smi"), ""),
    ],
)
def test_the_card_is_named_by_nvidia_s_own_program(answer: str | Exception, expected: str) -> None:
    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(command, 0, answer)

    assert graphics_card(run) == expected


def test_each_camera_is_opened() -> None:
    cameras = CameraDouble(
        [Play([1], (320, 240)), None],
        named=[[Camera(0, "HD Webcam"), Camera(2, "Logitech")]],
        why="does not open; it is in use by another program, or no camera: close the other program",
    )
    found = by_name(device_findings(cameras, lambda: None))
    assert found["window"].state == "works"
    assert (found["camera 0 (HD Webcam)"].state, found["camera 0 (HD Webcam)"].says) == (
        "works",
        "gives 320x240: --source 0",
    )
    busy = found["camera 2 (Logitech)"]
    assert (busy.state, busy.says) == ("broken", "does not open")
    assert busy.mend == "it is in use by another program, or no camera: close the other program"
    assert not busy.is_obstacle


def test_a_machine_without_screen_and_camera_is_no_broken_one() -> None:
    cameras = CameraDouble([], named=[[]])
    found = by_name(device_findings(cameras, lambda: "there is no display here; write a file instead"))
    assert [(finding.name, finding.state, finding.mend) for finding in found.values()] == [
        ("window", "absent", "write a file instead"),
        ("camera", "absent", "plug one in, for --source 0"),
    ]
    assert not any(finding.is_obstacle for finding in found.values())


WELL = Finding("software", "numpy", "works", "2.4.6", is_needed=True)
LACKING = Finding("software", "extra [export]", "absent", "without [torch]", "pip install 'mirilla[export]'")
BROKEN = Finding("video", "H.264 encoder", "broken", "no libx264", "pip install av", is_needed=True)


@pytest.mark.parametrize(("found", "is_well"), [([WELL], True), ([WELL, LACKING], True), ([WELL, BROKEN], False)])
def test_only_what_is_needed_decides(found: list[Finding], is_well: bool) -> None:
    for as_json in (False, True):
        assert run_doctor(Console(file=io.StringIO()), as_json=as_json, found=found) is is_well


def test_people_get_a_table_and_a_line_for_each_mend() -> None:
    text = io.StringIO()
    run_doctor(Console(file=text, width=100), as_json=False, found=[WELL, LACKING, BROKEN])
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines() if line.strip()]
    assert lines == [
        "numpy works 2.4.6",
        "extra [export] absent without [torch]",
        "H.264 encoder broken no libx264",
        "extra [export]: without [torch]: pip install 'mirilla[export]'",
        "H.264 encoder: no libx264: pip install av",
        "Mirilla cannot be used before this is mended.",
    ]
