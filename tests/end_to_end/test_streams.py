"""Several streams in one run of the command: each with its own files, figures and failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import frame_times
from tests.end_to_end.pages import ROOT

pytestmark = pytest.mark.usefixtures("ffprobe")


def test_a_stream_that_breaks_leaves_the_others_whole(
    mirilla: Mirilla, clip: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "front.mp4"
    command = [str(ffmpeg), "-v", "error", "-i", str(clip), "-c", "copy", "-movflags", "+faststart", str(whole)]
    subprocess.run(command, check=True)
    (tmp_path / "broken.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    (tmp_path / "config.yaml").write_text(
        f"""
streams:
  broken: {{source: broken.mp4, models: quickdraw-32, sinks: ["seen-{{name}}.mp4"]}}
  camera: {{source: "pattern:64x48@25x20", realtime: true, models: quickdraw-32, sinks: ["seen-{{name}}.jsonl"]}}
  video: {{source: {clip.name}, models: quickdraw-32, sinks: ["seen-{{name}}.mp4"]}}
""",
        encoding="utf-8",
    )
    result = mirilla("run", "--log", "json", "--report", "report.json")
    assert result.returncode == 1
    assert frame_times(tmp_path / "seen-video.mp4") == frame_times(clip)
    assert 0 < len(frame_times(tmp_path / "seen-broken.mp4")) < 50

    reports = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["streams"]
    assert list(reports) == ["broken", "camera", "video"]
    for name, captured in (("camera", 20), ("video", 50)):
        frames = reports[name]["frames"]
        assert frames["captured"] == frames["written"] + sum(frames["dropped"].values()) == captured

    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert [event["event"] for event in events].count("model_loaded") == 1  # for all three
    ends = {event["stream"]: event["error"] for event in events if event["event"] == "end"}
    assert "broken.mp4" in ends.pop("broken")
    assert ends == {"camera": None, "video": None}
    begun = {event["stream"] for event in events if event["event"] == "start"}
    assert begun == set(reports)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT that a program can hear")
def test_ctrl_c_finishes_the_files_of_all_streams(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stream", "run", "--model", "none", "--report", "report.json", "--realtime"]
    command += ["--source", "pattern:64x48@30x100000", "--source", "pattern:96x64@25x100000"]
    command += ["--sink", "{name}.mp4", "--sink", "{name}.jsonl"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, stderr=subprocess.PIPE, text=True
    )
    try:
        while sum(path.read_bytes().count(b"\n") > 5 for path in tmp_path.glob("*.jsonl*")) < 2:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    reports = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["streams"]
    assert len(reports) == 2
    for name, report in reports.items():
        written = report["frames"]["written"]
        assert written == len((tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        assert written == len(frame_times(tmp_path / f"{name}.mp4"))
    assert not list(tmp_path.glob("*partial*"))
