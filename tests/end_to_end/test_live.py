"""A recording as a camera, from the command line: paced, timed, watched from outside, and told in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Mirilla


def test_a_recording_played_by_the_clock(mirilla: Mirilla, tmp_path: Path) -> None:
    result = mirilla(
        *("run", "--source", "pattern:320x180@50x50", "--realtime", "--model", "none", "--sink", "seen.mp4"),
        *("--watermark", "--report", "report.json", "--metrics", "127.0.0.1:0", "--log", "json"),
    )
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    frames = report["frames"]
    assert frames["captured"] == 50 == frames["written"] + sum(frames["dropped"].values())
    # 50 frames at 50 a second take 0.98 seconds from first to last, however fast the machine is.
    assert report["wall_seconds"] >= 0.98
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert [event["event"] for event in events] == ["start", "end"]
    assert (events[0]["live"], events[1]["frames"]) == (True, frames)
    assert "seen.mp4" in result.stdout

    read = mirilla("latency", "seen.mp4")
    assert read.returncode == 0, read.stderr
    written = frames["written"]
    assert f"{written} of {written} frames have a watermark that can be read" in read.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-age", "100"], "max_age_ms: 'pattern:200x100@25x5' is recorded, and loses no frame; add 'realtime: "),
        (["--watermark"], "watermark: 'pattern:200x100@25x5' is 200 wide; it takes 240"),
        (["--metrics", "here"], "metrics: 'here' is no HOST:PORT; write it as in 127.0.0.1:9090"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(mirilla: Mirilla, options: list[str], message: str) -> None:
    result = mirilla("run", "--source", "pattern:200x100@25x5", "--model", "none", "--sink", "null", *options)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr


def test_an_error_is_json_where_the_log_is(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "missing.mp4", "--sink", "null", "--model", "none", "--log", "json")
    (line,) = [json.loads(line) for line in result.stderr.splitlines()]
    assert (result.returncode, line["event"], line["exit_code"]) == (2, "error", 2)
    assert "missing.mp4" in line["message"]


def test_pictures_without_a_watermark_have_no_latency(mirilla: Mirilla) -> None:
    result = mirilla("latency", "pattern:320x180@25x3")
    assert result.returncode == 2
    assert "no watermark in 3 frames of 'pattern:320x180@25x3'; run with --watermark" in result.stderr
