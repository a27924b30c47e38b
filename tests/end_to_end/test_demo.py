"""`mirilla demo` as a stranger runs it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import frame_times


@pytest.mark.usefixtures("ffprobe")
def test_the_demo_makes_a_video_a_report_and_a_contact_sheet(mirilla: Mirilla, tmp_path: Path) -> None:
    result = mirilla("demo")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out" / "demo.json").read_text(encoding="utf-8"))
    written = report["frames"]["written"]
    assert report["frames"] == {
        "captured": written,
        "inferred": {"quickdraw-32": written},
        "written": written,
        "dropped": {},
    }
    assert len(frame_times(tmp_path / "out" / "demo.mp4")) == written
    sheet = cv2.imread(str(tmp_path / "out" / "demo.png"))
    assert sheet is not None
    assert sheet.shape == (3 * 270, 4 * 480, 3)  # twelve drawings
    said = next(line for line in result.stdout.splitlines() if "named right" in line)
    assert int(said.split()[0]) >= 10
    assert said.split()[2] == "12"


def test_models_lists_what_is_bundled_with_its_accuracy(mirilla: Mirilla) -> None:
    result = mirilla("models")
    assert result.returncode == 0, result.stderr
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line.split()}
    assert {"quickdraw-32", "quickdraw-345"} <= set(rows)
    assert "sketch_classification" in rows["quickdraw-32"]
