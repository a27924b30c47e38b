"""The frame that a recording shows at a time: ten frames a second whose grey level is their number, made by ffmpeg."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.errors import MirillaError
from stream.segmenting.moment import frame_at
from tests.stream.doubles import ScriptedSource
from tests.stream.sources.clips import H264, make_clip

GREYS = "color=black:s=64x48:r=10:d=1,format=gray,geq=lum='20*N+20'"


@pytest.fixture
def greys(ffmpeg: Path, tmp_path: Path) -> Path:
    # Its first frame is at 1.4 s of its own clock: times are counted from there.
    return make_clip(ffmpeg, tmp_path / "greys.mkv", *H264, "-crf", "1", "-output_ts_offset", "1.4", graph=GREYS)


@pytest.mark.parametrize(
    ("seconds", "number"),
    [
        (0.0, 0),
        (0.05, 0),
        (0.1, 1),
        # 0.3 has no exact binary form, and the nearest is less than three tenths.
        (0.3, 3),
        (0.39, 3),
        (0.9, 9),
        # The last frame lasts as long as any.
        (0.99, 9),
    ],
)
def test_the_frame_that_is_shown(greys: Path, seconds: float, number: int) -> None:
    frame = frame_at(str(greys), seconds)
    assert frame.index == number
    assert abs(float(frame.image.mean()) - (20 * number + 20)) < 3


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (1.01, r"--at: 1.01 s is after the end of '.*greys.mkv', at 1.00 s; give less"),
        (-0.1, "--at: expected seconds, 0 or more, got -0.1"),
        (float("nan"), "--at: expected seconds, 0 or more, got nan"),
        (float("inf"), "--at: expected seconds, 0 or more, got inf"),
    ],
)
def test_times_that_are_none(greys: Path, seconds: float, message: str) -> None:
    with pytest.raises(MirillaError, match=message):
        frame_at(str(greys), seconds)


def test_a_picture_is_there_at_once_only(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.full((3, 5, 3), 7, np.uint8))
    assert frame_at(str(path), 0).image.shape == (3, 5, 3)
    with pytest.raises(MirillaError, match="--at: 3 s is after the end"):
        frame_at(str(path), 3)


def test_live_sources_are_refused_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = ScriptedSource(3, is_live=True)
    monkeypatch.setattr("stream.segmenting.moment.open_source", lambda _spec: camera)
    with pytest.raises(MirillaError, match="source: '0' is live; give a picture or recorded video"):
        frame_at("0", 0)
    assert camera.closed.is_set()
    assert camera.yielded == 0


def test_frames_after_the_wanted_one_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    # 25 frames a second: 0.1 s is the third's, known when the fourth is there.
    film = ScriptedSource(100)
    monkeypatch.setattr("stream.segmenting.moment.open_source", lambda _spec: film)
    assert frame_at("film", 0.1).index == 2
    assert film.yielded == 4
