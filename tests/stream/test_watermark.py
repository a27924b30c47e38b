"""The time of capture, read back exactly from what a codec and scaling leave of the picture."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.metrics import Metrics
from stream.renderer import Renderer
from stream.sources.pattern import PatternSource, PatternSpec, read_pattern_index
from stream.watermark import LEAST_WIDTH_PX, CaptureClock, draw_watermark, read_watermark
from tests.stream.doubles import make_frame
from tests.stream.sources.clips import decoded_by_ffmpeg

NOW_MS = 1_795_180_800_123


def pictures(width: int, height: int, count: int) -> list[NDArray[np.uint8]]:
    """The moving test picture, with watermarks 33 ms apart."""
    marked = []
    for frame in PatternSource(PatternSpec(width, height, frames=count)):
        picture = frame.image.copy()
        draw_watermark(picture, NOW_MS + 33 * frame.index)
        marked.append(picture)
    return marked


@pytest.mark.parametrize(
    ("size_wh", "scaled_wh", "kilobits"),
    [
        ((1280, 720), (1280, 720), 300),
        ((1280, 720), (640, 360), 150),  # half the size
        ((1920, 1080), (640, 360), 150),  # a third
        ((640, 360), (960, 540), 150),  # larger
        ((640, 360), (640, 360), 60),  # hardly any bits at all
        ((640, 360), (500, 280), 100),  # by no whole number
        ((360, 640), (360, 640), 100),  # portrait
        ((LEAST_WIDTH_PX, 136), (LEAST_WIDTH_PX, 136), 60),  # as small as it may be
    ],
)
def test_every_frame_reads_back_exactly_after_x264(
    ffmpeg: Path, tmp_path: Path, size_wh: tuple[int, int], scaled_wh: tuple[int, int], kilobits: int
) -> None:
    path = tmp_path / "clip.mp4"
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size_wh[0]}x{size_wh[1]}", "-r", "30", "-i", "-"]
    encode = ["-vf", f"scale={scaled_wh[0]}:{scaled_wh[1]}", "-c:v", "libx264", "-preset", "veryfast"]
    encode += ["-tune", "zerolatency", "-b:v", f"{kilobits}k", "-maxrate", f"{kilobits}k", "-bufsize", "50k"]
    sent = b"".join(picture.tobytes() for picture in pictures(*size_wh, 30))
    command = [str(ffmpeg), "-v", "error", *raw, *encode, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, input=sent, check=True)
    received = decoded_by_ffmpeg(ffmpeg, path, scaled_wh)
    assert [read_watermark(picture) for picture in received] == [NOW_MS + 33 * index for index in range(30)]


@given(captured_ms=st.integers(0, (1 << 42) - 1), width=st.integers(LEAST_WIDTH_PX, 700), height=st.integers(8, 500))
def test_every_time_can_be_read_at_every_size(captured_ms: int, width: int, height: int) -> None:
    picture = np.full((height, width, 3), 128, np.uint8)
    draw_watermark(picture, captured_ms)
    assert read_watermark(picture) == captured_ms


@pytest.mark.parametrize("captured_ms", [-1, 1 << 42])
def test_a_time_that_the_strip_cannot_hold_is_refused(captured_ms: int) -> None:
    with pytest.raises(ValueError, match="captured_ms: expected 0 to"):
        draw_watermark(np.zeros((100, 640, 3), np.uint8), captured_ms)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((360, 640, 3), np.uint8),
        np.full((360, 640, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        next(iter(PatternSource(PatternSpec(640, 360)))).image,  # has colour bars there
    ],
)
def test_a_picture_without_a_watermark_has_no_time(picture: NDArray[np.uint8]) -> None:
    assert read_watermark(picture) is None


def test_no_wrong_cell_goes_unnoticed() -> None:
    picture = pictures(600, 100, 1)[0]
    for left in range(0, 600, 10):
        broken = picture.copy()
        broken[:, left : left + 10] = 255 - broken[:, left : left + 10]
        assert read_watermark(broken) is None


def test_both_strips_can_be_read_from_one_picture() -> None:
    picture = pictures(640, 360, 8)[7]
    half = np.asarray(cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)
    assert (read_watermark(half), read_pattern_index(half)) == (NOW_MS + 7 * 33, 7)


def test_the_renderer_draws_the_moment_of_capture() -> None:
    clock = CaptureClock()
    frame = make_frame(0, 640, 360, captured_at_ns=123_456_789_000)
    picture = Renderer(Metrics(), {}, Look(hud=False, watermark=True), clock=clock).render(FrameResult(frame))
    assert read_watermark(picture) == clock.epoch_ms(123_456_789_000)
    assert not (frame.image[0] == 255).any()
