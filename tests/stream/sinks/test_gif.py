"""A GIF loops, keeps its times to 1/100 s, and its colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.sinks import make_sink
from tests.stream.sinks.recording import Judge, describe, moment, record

F = Fraction


@pytest.mark.parametrize(
    ("time_base", "pts", "expected_ticks"),
    [
        (F(1, 25), [0, 1, 2, 3], [0, 4, 8, 12]),
        (F(1, 30), [0, 1, 2, 3, 4], [0, 3, 7, 10, 13]),  # rounded, and the error does not add up
        (F(1, 100), [0, 7, 9, 300, 310], [0, 7, 9, 300, 310]),  # pauses
        (F(1, 90000), [126000, 129600, 133200], [0, 4, 8]),  # a GIF always begins at 0
        (F(1, 60), [0, 1, 2, 3, 4, 5], [0, 2, 5, 7]),  # 2 and 5 come a hundredth later: players cannot
        (F(1, 100), [0, 5, 5, 3, 10], [0, 5, 10]),  # what does not rise is left out
        (F(1, 100), [42], [0]),
    ],
)
def test_times_are_kept_to_a_hundredth(
    time_base: Fraction, pts: list[int], expected_ticks: list[int], tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / "out.gif", describe(time_base=time_base, rate=None), pts)
    assert judge.times(path) == [F(ticks, 100) for ticks in expected_ticks]


def test_frames_that_a_gif_cannot_show_are_counted_in_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path / "out.gif", describe(time_base=F(1, 100)), range(10))
    assert "a GIF shows at most 50 frames a second; 5 frames came sooner and are left out" in caplog.text


def test_it_loops_forever(tmp_path: Path) -> None:
    data = record(tmp_path / "out.gif", describe(), [0, 512]).read_bytes()
    # The Netscape extension: a block of 3 bytes, 1 and the number of loops, of which 0 means forever.
    assert b"NETSCAPE2.0\x03\x01\x00\x00\x00" in data


@pytest.mark.parametrize(("width", "height"), [(64, 48), (1, 1), (33, 101), (3, 2)])
def test_every_size_is_kept(width: int, height: int, tmp_path: Path, judge: Judge) -> None:
    path = record(tmp_path / "out.gif", describe(width, height), [0, 512, 1024])
    (stream,) = judge.streams(path)
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == (width, height, "3")


def test_each_frame_has_the_colours_that_it_was_drawn_in(tmp_path: Path, judge: Judge) -> None:
    info = describe(rate=F(10), time_base=F(1, 10))
    colours_rgb = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (224, 172, 105)]
    sink = make_sink(str(tmp_path / "out.gif"))
    sink.open(info)
    for index, (red, green, blue) in enumerate(colours_rgb):
        image = np.full((info.height, info.width, 3), (blue, green, red), np.uint8)
        sink.write(image, moment(image, index, info.time_base, index))
    sink.close()
    shown = judge.pictures(tmp_path / "out.gif", info.width, info.height)
    assert shown[:, 20, 20].tolist() == [pytest.approx(colour, abs=4) for colour in colours_rgb]


def test_a_picture_that_comes_back_is_shown_again(tmp_path: Path, judge: Judge) -> None:
    # Each has one colour, so each palette has another colour under the same index, and the third is the first's again.
    info, levels = describe(), [90, 200, 90, 90, 200]
    sink = make_sink(str(tmp_path / "out.gif"))
    sink.open(info)
    for index, level in enumerate(levels):
        image = np.full((info.height, info.width, 3), level, np.uint8)
        sink.write(image, moment(image, 512 * index, info.time_base, index))
    sink.close()
    pictures = judge.pictures(tmp_path / "out.gif", info.width, info.height)
    assert [(int(picture.min()), int(picture.max())) for picture in pictures] == [(level, level) for level in levels]
