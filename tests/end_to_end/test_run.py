"""Whole runs of the command on real files, judged by ffprobe."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import audio_packets, frame_times, probe
from tests.end_to_end.pages import ROOT

pytestmark = pytest.mark.usefixtures("ffprobe")


def test_a_video_comes_back_whole_with_results_and_a_report(mirilla: Mirilla, clip: Path, tmp_path: Path) -> None:
    result = mirilla(
        "run", "--source", clip.name, "--sink", "seen.mp4", "--sink", "seen.jsonl", "--sink", "seen.csv",
        "--sink", "seen.gif", "--sink", "frames/", "--report", "report.json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert frame_times(tmp_path / "seen.mp4") == frame_times(clip)
    assert audio_packets(tmp_path / "seen.mp4") == audio_packets(clip)
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["index"] for line in lines] == list(range(50))
    assert [line["pts_seconds"] for line in lines] == pytest.approx([index / 25 for index in range(50)])
    assert all(line["results"]["quickdraw-32"]["task"] == "sketch_classification" for line in lines)
    with (tmp_path / "seen.csv").open(newline="", encoding="utf-8") as file:
        assert {row["index"] for row in csv.DictReader(file)} == {str(index) for index in range(50)}
    assert len(frame_times(tmp_path / "seen.gif")) == 50
    assert len(list((tmp_path / "frames").iterdir())) == 50
    assert not list(tmp_path.glob("*partial*"))

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["frames"] == {"captured": 50, "inferred": {"quickdraw-32": 50}, "written": 50, "dropped": {}}
    assert report["fps"]["source"] == 25.0
    assert set(report["stage_ms"]) == {"decode", "preprocess", "inference", "postprocess", "overlay", "write"}
    about = report["models"]["quickdraw-32"]
    assert (about["provider"], about["package"]) == ("CPUExecutionProvider", "quickdraw-32")
    assert about["why_not_cuda"] in str(result.stdout)
    assert set(report["latency_ms"]) == {"p50", "p95", "p99"}
    assert "50 captured, 50 written, 0 dropped" in result.stdout


def test_a_configuration_runs_its_streams_and_quiet_says_nothing(mirilla: Mirilla, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        f"""
streams:
  first: {{source: {clip.name}, sinks: ["{{name}}.jsonl"], frames: 3}}
  second: {{source: "pattern:64x48@10x5", sinks: ["{{name}}.jsonl"]}}
""",
        encoding="utf-8",
    )
    result = mirilla("run", "--quiet", "--report", "report.json")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert len((tmp_path / "first.jsonl").read_text(encoding="utf-8").splitlines()) == 3
    assert len((tmp_path / "second.jsonl").read_text(encoding="utf-8").splitlines()) == 5
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert {name: stream["frames"]["written"] for name, stream in report["streams"].items()} == {
        "first": 3,
        "second": 5,
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a program can hear")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_files_that_are_being_written(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stream", "run", "--source", "pattern:320x240@30x100000", "--model", "none"]
    command += ["--sink", "seen.mp4", "--sink", "seen.jsonl", "--report", "report.json"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, stderr=subprocess.PIPE, text=True
    )
    try:
        # The run is under way when its results appear.
        assert results_have_begun(tmp_path, process, lines=10)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    frames = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["frames"]
    written = len((tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines())
    assert frames["captured"] == frames["written"] == written == len(frame_times(tmp_path / "seen.mp4"))
    assert not list(tmp_path.glob("*partial*"))


def results_have_begun(folder: Path, process: subprocess.Popen[str], *, lines: int) -> bool:
    """Wait until so many results are on the disk; False where the process ended before."""
    while process.poll() is None:
        if any(path.read_bytes().count(b"\n") >= lines for path in folder.glob("*.jsonl*")):
            return True
    return False


@pytest.mark.parametrize(
    ("name", "frames"),
    [("car-detection.mp4", 377), ("one-by-one-person-detection.mp4", 1394)],
)
@pytest.mark.parametrize("model", ["none", "quickdraw-32"])
def test_real_video_comes_back_complete(
    name: str, frames: int, model: str, mirilla: Mirilla, test_data: Path, tmp_path: Path
) -> None:
    source = test_data / "video" / name
    # A GIF of the whole would be huge; its first seconds show as much.
    gif = mirilla("run", "--source", source, "--model", model, "--sink", "seen.gif", "--frames", 20)
    assert gif.returncode == 0, gif.stderr
    assert len(frame_times(tmp_path / "seen.gif")) == 20
    result = mirilla("run", "--source", source, "--model", model, "--sink", "seen.mp4", "--sink", "seen.jsonl")
    assert result.returncode == 0, result.stderr
    times = frame_times(tmp_path / "seen.mp4")
    assert len(times) == frames
    assert times == frame_times(source)
    assert len((tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()) == frames
    streams = probe(source, "-show_entries", "stream=codec_type")["streams"]
    if any(stream["codec_type"] == "audio" for stream in streams):
        assert audio_packets(tmp_path / "seen.mp4") == audio_packets(source)


def test_the_python_of_the_readme_runs_as_it_stands(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert lines is not None
    monkeypatch.chdir(clip.parent)
    names: dict[str, Any] = {}
    exec(lines.group(1), names)
    assert names["frame"].index == 49
    assert names["picture"].shape == (120, 160, 3)
    assert names["result"].task == "sketch_classification"
