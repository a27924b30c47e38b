"""A written frame has the time that its source gave it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from stream.sinks.h264_stream import DELAY_SECONDS, encoder_options, video_timescale
from tests.stream.sinks.recording import Judge, describe, record

F = Fraction
CLOCKS = {
    "mp4 at 25": (F(1, 12800), [i * 512 for i in range(40)], F(25)),
    "transport stream, does not begin at 0": (F(1, 90000), [128090 + i * 3003 for i in range(40)], F(30000, 1001)),
    "one tick a frame, NTSC": (F(1001, 30000), list(range(40)), F(30000, 1001)),
    "one tick a frame": (F(1, 30), list(range(40)), F(30)),
    "matroska, uneven ticks": (F(1, 1000), [0, 33, 67, 100, 133, 167, 200], F(30)),
    # Several fragments, whose last pictures stay longer or shorter than those before them.
    "phone, uneven all along": (F(1, 90000), [i * 3000 + i // 5 * 6000 + (i * i % 11) * 97 for i in range(90)], None),
    "gif, pauses": (F(1, 100), [5, 12, 15, 200, 203, 900], None),
    "webcam": (F(1, 1_000_000), [7, 33_400, 66_801, 5_000_123], None),
    "stills, a second each": (F(1), [0, 1, 2, 3], F(1)),
    "begins before 0": (F(1, 12800), [-1024 + i * 512 for i in range(40)], F(25)),
    "one frame": (F(1, 90000), [90_001], None),
}


@pytest.mark.parametrize(("time_base", "pts", "rate"), CLOCKS.values(), ids=CLOCKS.keys())
def test_mp4_keeps_every_time_stamp_to_the_tick(
    time_base: Fraction, pts: list[int], rate: Fraction | None, tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / "out.mp4", describe(rate=rate, time_base=time_base), pts)
    assert judge.times(path) == [ticks * time_base for ticks in pts]


@pytest.mark.parametrize(
    ("time_base", "pts", "rate"),
    [clock for name, clock in CLOCKS.items() if name != "begins before 0"],
)
def test_mkv_keeps_every_time_stamp_to_its_millisecond(
    time_base: Fraction, pts: list[int], rate: Fraction | None, tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / "out.mkv", describe(rate=rate, time_base=time_base), pts)
    expected = [ticks * time_base for ticks in pts]
    written = judge.times(path)
    assert len(written) == len(expected)
    assert max(abs(a - b) for a, b in zip(written, expected, strict=True)) <= F(1, 2000)


@pytest.mark.parametrize(
    ("pts", "expected"),
    [
        ([0, 512, 512, 1024], [0, 512, 513, 1024]),  # said twice
        ([0, 512, 100, 1024], [0, 512, 513, 1024]),  # goes back
        ([0, 512, 511, 510, 1024], [0, 512, 513, 514, 1024]),  # goes back twice
    ],
)
def test_a_time_that_does_not_rise_is_moved_to_the_next_tick(
    pts: list[int], expected: list[int], tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / "out.mp4", describe(), pts)
    assert judge.times(path) == [F(ticks, 12800) for ticks in expected]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("pts", "rate", "seconds"),
    [
        (range(25), F(25), 1.0),
        ([0], F(10), 0.1),  # a single frame stays for one frame of the declared rate
        ([0, 10, 15], None, 0.8),  # the last frame stays as long as the one before it
    ],
)
def test_the_last_frame_is_shown_as_long_as_it_was(
    ending: str, pts: list[int], rate: Fraction | None, seconds: float, tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / f"out.{ending}", describe(rate=rate, time_base=F(1, 25)), pts)
    assert judge.duration_seconds(path) == pytest.approx(seconds, abs=0.0011)


def test_pictures_stay_in_the_order_of_their_times(tmp_path: Path, judge: Judge) -> None:
    path = record(tmp_path / "out.mp4", describe(), [i * 512 for i in range(25)])
    levels = judge.pictures(path, 64, 48).mean(axis=(1, 2, 3))
    assert levels == pytest.approx([i * 10 for i in range(25)], abs=4)


@pytest.mark.parametrize(
    ("rate", "step"),
    [
        (F(25), 512),
        (None, 512),  # a source that declares no rate is no different
        (F(2), 6400),
    ],
)
def test_a_keyframe_comes_every_two_seconds(rate: Fraction | None, step: int, tmp_path: Path, judge: Judge) -> None:
    path = record(tmp_path / "out.mp4", describe(rate=rate), [i * step for i in range(150)])
    keys = [float(packet["pts_time"]) for packet in judge.packets(path) if "K" in packet["flags"]]
    end = float(F(150 * step, 12800))
    assert max(later - earlier for earlier, later in zip(keys, [*keys[1:], end], strict=True)) <= 2.0


@pytest.mark.parametrize(
    ("time_base", "timescale"),
    [
        (F(1, 90000), 90000),
        (F(1001, 30000), 30000),
        (F(1, 30), 15360),  # 30 doubled until players keep sound and pictures together
        (F(1), 16384),
        (F(1, 1_000_000_000), 1_000_000),  # nanoseconds would overflow a pause of minutes
    ],
)
def test_the_track_counts_in_a_multiple_of_the_sources_ticks(time_base: Fraction, timescale: int) -> None:
    assert video_timescale(time_base) == timescale


@pytest.mark.parametrize("rate", [F(1, 2), F(5), F(6), F(10), F(25), F(60), F(1000)])
@pytest.mark.parametrize("cores", [1, 2, 64])
def test_the_encoder_holds_back_half_a_second_at_most(
    rate: Fraction, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    options = encoder_options(rate)
    if options.get("tune") != "zerolatency":
        frames_held = int(options["rc-lookahead"]) + int(options["threads"]) - 1
        assert frames_held / rate <= DELAY_SECONDS
