"""The test picture: known colours, and a number that survives what happens to pictures on their way."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import SourceError
from stream.sources import open_source
from stream.sources.pattern import MOST_FRAMES, PatternSource, PatternSpec, _draw_index, read_pattern_index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pattern", PatternSpec(1280, 720, Fraction(30), 300)),
        ("pattern:640x480", PatternSpec(640, 480, Fraction(30), 300)),
        ("pattern:640x480@25", PatternSpec(640, 480, Fraction(25), 300)),
        ("pattern:640x480@25x100", PatternSpec(640, 480, Fraction(25), 100)),
        ("pattern:65x49@12.5x1", PatternSpec(65, 49, Fraction(25, 2), 1)),
        ("pattern:480x640@30000/1001", PatternSpec(480, 640, Fraction(30000, 1001), 300)),
    ],
)
def test_spec_says_size_rate_and_frames(text: str, expected: PatternSpec) -> None:
    assert PatternSpec.parse(text) == expected
    info = open_source(text).info
    assert (info.width, info.height, info.rate, info.frame_count) == expected
    assert info.time_base == 1 / expected.rate


@pytest.mark.parametrize(
    "text",
    [
        "pattern:",
        "pattern:640",
        "pattern:640x",
        "pattern:640x480@",
        "pattern:640x480@25x",
        "pattern:640x480@25x100x2",
        "pattern:640x480 ",
        "pattern:-640x480",
        "pattern:640x480@1/0",  # division by zero
        "pattern:640x480@0",  # no frames a second
        "pattern:640x480@25x0",  # no frames
        "pattern:63x48",  # too small for its strip
        "pattern:64x47",
        "pattern:99999x480",  # too large for any codec
        f"pattern:64x48@25x{MOST_FRAMES + 1}",  # more than the strip can count
        "pattern:\uff16\uff14x48",  # digits of another script
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SourceError, match=r"give|write") as caught:
        open_source(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", ["64x48", "65x49", "120x213", "640x480"])
def test_every_frame_carries_its_number(size: str) -> None:
    frames = list(open_source(f"pattern:{size}@25x70"))
    assert [read_pattern_index(frame.image) for frame in frames] == list(range(70))
    assert [frame.pts for frame in frames] == [frame.index for frame in frames] == list(range(70))


@settings(max_examples=60)
@given(st.integers(0, MOST_FRAMES - 1))
def test_every_number_can_be_read(index: int) -> None:
    image = np.full((48, 64, 3), 128, np.uint8)
    _draw_index(image, index)
    assert read_pattern_index(image) == index


@pytest.mark.parametrize(
    ("size", "codec", "options"),
    [
        ("1280x720", "libx264", {"crf": "35", "preset": "ultrafast"}),
        ("320x180", "libx264", {"crf": "28", "preset": "ultrafast"}),
        ("320x180", "mpeg4", {"b": "200k"}),
    ],
)
def test_the_number_survives_a_codec_and_half_the_size(
    tmp_path: Path, size: str, codec: str, options: dict[str, str]
) -> None:
    source = open_source(f"pattern:{size}@25x12")
    path = tmp_path / "pattern.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = source.info.width, source.info.height, "yuv420p"
        for frame in source:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="bgr24")))
        container.mux(stream.encode())
    frames = list(open_source(path))
    assert [read_pattern_index(frame.image) for frame in frames] == list(range(12))
    halves = [cv2.resize(frame.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for frame in frames]
    assert [read_pattern_index(half.astype(np.uint8)) for half in halves] == list(range(12))


class TestUnreadable:
    def test_pictures_without_a_strip(self) -> None:
        for image in (
            np.zeros((48, 64, 3), np.uint8),
            np.full((48, 64, 3), 255, np.uint8),
            np.full((1, 1, 3), 255, np.uint8),
            np.full((48, 27, 3), 255, np.uint8),  # narrower than the strip has blocks
            np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8),
        ):
            assert read_pattern_index(image) is None

    def test_a_strip_that_something_grey_lies_over(self) -> None:
        image = next(iter(open_source("pattern:640x480"))).image.copy()
        image[400:, 300:360] = 128
        assert read_pattern_index(image) is None

    def test_any_single_wrong_block(self) -> None:
        """A check of four bits finds every single error: two numbers never differ in one block alone."""
        wrong = np.full((48, 28 * 4, 3), 128, np.uint8)
        _draw_index(wrong, 12345)
        for block in range(28):
            image = wrong.copy()
            columns = slice(4 * block, 4 * block + 4)
            image[42:, columns] = 255 - image[42:, columns]
            assert read_pattern_index(image) is None, f"block {block}"


def test_two_runs_are_the_same() -> None:
    for one, other in zip(open_source("pattern:128x96@25x5"), open_source("pattern:128x96@25x5"), strict=True):
        assert np.array_equal(one.image, other.image)


def test_neighbouring_frames_differ_above_the_strip() -> None:
    """Something moves that a person, or a motion detector, can see."""
    frames = list(open_source("pattern:128x96@25x30"))
    for one, other in itertools.pairwise(frames):
        assert not np.array_equal(one.image[:84], other.image[:84])


def test_bars_and_ramp_are_where_they_are_said_to_be() -> None:
    """Swapped channels or a stretched range show here; from left to right, in BGR."""
    image = next(iter(open_source("pattern:640x480"))).image
    bars = [tuple(image[100, 40 + 80 * bar].tolist()) for bar in range(8)]
    white, yellow, cyan, green = (255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0)
    magenta, red, blue, black = (255, 0, 255), (0, 0, 255), (255, 0, 0), (0, 0, 0)
    assert bars == [white, yellow, cyan, green, magenta, red, blue, black]
    ramp = image[270].astype(int)
    assert (ramp[0].tolist(), ramp[-1].tolist()) == ([0, 0, 0], [255, 255, 255])
    assert set(np.diff(ramp[:, 0]).tolist()) == {0, 1}


def test_capture_times_come_from_the_given_clock() -> None:
    ticks = itertools.count(5)
    source = PatternSource(PatternSpec(64, 48, Fraction(25), 3), clock_ns=lambda: next(ticks))
    assert [frame.captured_at_ns for frame in source] == [5, 6, 7]


def test_close_ends_the_iteration() -> None:
    source = open_source("pattern:64x48")
    seen = []
    for frame in source:
        seen.append(frame.index)
        if frame.index == 1:
            source.close()
    assert seen == [0, 1]
