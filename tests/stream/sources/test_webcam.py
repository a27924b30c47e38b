"""A webcam that plays tricks: what is believed, what is said, and that it comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.pipeline import Pipeline
from stream.sources import webcam
from stream.sources.cameras import Camera, CameraFormat
from stream.sources.webcam import Webcam
from stream.sources.webcam_spec import WebcamSpec
from tests.stream.doubles import ScriptedSink
from tests.stream.sources.camera_double import FAIL, HANG, CameraDouble, Clock, Play

ZERO = WebcamSpec("0", CameraFormat((64, 48), 30, "MJPG"))
LOST = [FAIL] * webcam.LOST_AFTER_READS


def open_webcam(cameras: CameraDouble, spec: WebcamSpec = ZERO, reconnect: int | None = None) -> Webcam:
    return Webcam(spec, cameras, clock_ns=cameras.clock, reconnect=reconnect, longest_wait_seconds=0)


def take(frames: Iterator[Frame], cameras: CameraDouble, count: int) -> list[Frame]:
    """As many frames, one by one: the camera gives the next only when the one before was taken."""
    taken = []
    for _ in range(count):
        cameras.permits.release()
        taken.append(next(frames))
    return taken


def levels(frames: list[Frame]) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in frames]


def test_frames_carry_the_time_of_capture(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cameras = CameraDouble([Play([9, 10, 11, 12])], step_ns=40_000_000)
    with open_webcam(cameras) as source:
        assert source.info.is_live
        assert (source.info.width, source.info.height, source.info.rate) == (64, 48, None)
        assert source.info.name == "webcam 0 (HD Webcam)"
        frames = take(iter(source), cameras, 3)
    # The first picture told the size.
    assert levels(frames) == [10, 11, 12]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [(frame.pts, frame.time_base) for frame in frames] == [
        (pts, Fraction(1, 1_000_000)) for pts in (0, 40_000, 80_000)
    ]
    assert [frame.captured_at_ns for frame in frames] == [1_080_000_000, 1_120_000_000, 1_160_000_000]
    assert cameras.released == 1
    granted = [record for record in caplog.records if "asked for" in record.message]
    assert [(record.levelname, record.message) for record in granted] == [
        ("INFO", "webcam 0 (HD Webcam): asked for 64x48, 30 fps, MJPG, got 64x48, 30 fps, MJPG")
    ]


@pytest.mark.parametrize(
    ("granted", "size_wh", "expected"),
    [
        # another size than asked
        (CameraFormat((32, 24), 30, "MJPG"), (32, 24), "got 32x24, 30 fps, MJPG"),
        # it says what was asked, and gives another: the picture is believed
        (CameraFormat((64, 48), 30, "MJPG"), (32, 24), "got 32x24, 30 fps, MJPG"),
        # 5 fps where 30 were asked
        (CameraFormat((64, 48), 5, "MJPG"), (64, 48), "got 64x48, 5 fps, MJPG"),
        (CameraFormat((64, 48), 30, "YUYV"), (64, 48), "got 64x48, 30 fps, YUYV"),
    ],
)
def test_what_was_not_granted_is_said_in_one_line(
    granted: CameraFormat, size_wh: tuple[int, int], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_webcam(CameraDouble([Play([1], size_wh, granted)])) as source:
        assert (source.info.width, source.info.height) == size_wh
    said = [record for record in caplog.records if "asked for" in record.message]
    assert [(record.levelname, record.message) for record in said] == [
        ("WARNING", f"webcam 0 (HD Webcam): asked for 64x48, 30 fps, MJPG, {expected}")
    ]


def test_a_camera_that_promises_30_and_gives_5_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    cameras = CameraDouble([Play([0] * 40)], step_ns=200_000_000)
    with open_webcam(cameras) as source:
        take(iter(source), cameras, 39)
    assert caplog.messages == [
        "webcam 0 (HD Webcam) gives 5.0 frames a second of the 30 it promised: "
        "in the dark many cameras expose for longer"
    ]


def test_a_camera_that_was_gone_for_a_while_is_not_called_slow(caplog: pytest.LogCaptureFixture) -> None:
    ten_fps = CameraFormat((64, 48), 10, "MJPG")
    plays = [Play([*range(5), *LOST], granted=ten_fps), Play(range(5, 56), granted=ten_fps)]
    cameras = CameraDouble(plays, step_ns=100_000_000)
    cameras.may_reopen.clear()
    with open_webcam(cameras) as source:
        frames = iter(source)
        take(frames, cameras, 4)
        cameras.clock.now_ns += 60_000_000_000
        cameras.may_reopen.set()
        assert next(frames).pts >= 60_000_000
        take(frames, cameras, 50)
    assert not [line for line in caplog.messages if "promised" in line]


def test_a_read_that_fails_now_and_then_is_no_loss_and_invents_nothing(caplog: pytest.LogCaptureFixture) -> None:
    cameras = CameraDouble([Play([1, FAIL, 2, FAIL, FAIL, FAIL, FAIL, 3, 4])])
    with open_webcam(cameras) as source:
        frames = take(iter(source), cameras, 3)
    assert levels(frames) == [2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert len(cameras.opened) == 1
    assert caplog.messages == []


def test_unplugged_and_plugged_in_again_it_goes_on_under_another_number(caplog: pytest.LogCaptureFixture) -> None:
    here, gone, elsewhere = [Camera(0, "HD Webcam")], [Camera(1, "Other")], [Camera(1, "Other"), Camera(2, "HD Webcam")]
    clock = Clock()
    cameras = CameraDouble(
        [Play([1, 2, 3, *LOST]), None, None, Play([7, 8, 9, 10])],
        clock=clock,
        step_ns=500_000_000,
        named=[here, gone, gone, elsewhere],
    )
    cameras.may_reopen.clear()
    with open_webcam(cameras) as source:
        frames = iter(source)
        before = take(frames, cameras, 2)
        cameras.may_reopen.set()
        # The first picture after it came back is one to show.
        back = [next(frames), *take(frames, cameras, 3)]
        status = source.status
    assert (status.is_connected, status.attempt, status.reconnects) == (True, 0, 1)
    assert status.lost_ns == 500_000_000
    assert levels(before + back) == [2, 3, 7, 8, 9, 10]
    assert [frame.index for frame in before + back] == list(range(6))
    assert cameras.opened == [0, 0, 0, 2]
    assert caplog.messages == [
        "webcam 0 (HD Webcam) was lost",
        "webcam 0 (HD Webcam) is back after 0.5 s",
    ]


def test_a_camera_that_comes_back_with_another_size_is_fitted_into_the_stream_s() -> None:
    cameras = CameraDouble([Play([1, 2, *LOST]), Play([9], size_wh=(32, 48))])
    cameras.may_reopen.clear()
    with open_webcam(cameras) as source:
        frames = iter(source)
        take(frames, cameras, 1)
        cameras.may_reopen.set()
        image = next(frames).image
    # 32x48 within 64x48: black bars of 16 at both sides.
    assert image.shape == (48, 64, 3)
    assert np.unique(image[:, 16:48]).tolist() == [9]
    assert np.unique(image[:, :16]).tolist() == np.unique(image[:, 48:]).tolist() == [0]


def test_while_it_is_lost_it_says_so_and_close_ends_the_waiting() -> None:
    cameras = CameraDouble([Play([1, 2, *LOST]), Play([HANG])])
    source = open_webcam(cameras)
    frames = iter(source)
    take(frames, cameras, 1)
    assert cameras.hanging.wait(10)
    cameras.clock.now_ns += 5_000_000_000
    status = source.status
    assert (status.is_connected, status.attempt, status.reconnects) == (False, 1, 0)
    assert status.lost_ns == cameras.clock.now_ns - status.last_frame_ns == 5_000_000_000
    closing = threading.Thread(target=source.close)
    closing.start()
    assert next(frames, None) is None
    cameras.let_go.set()
    closing.join(10)
    assert cameras.released == 2


@pytest.mark.parametrize(
    ("reconnect", "expected"),
    [
        (3, "source: webcam 0 (HD Webcam) was lost and did not come back in 3 attempts; plug it in again"),
        (0, "source: webcam 0 (HD Webcam) was lost; plug it in again"),
    ],
)
def test_a_camera_that_does_not_come_back_breaks_the_source_where_attempts_are_counted(
    reconnect: int, expected: str
) -> None:
    cameras = CameraDouble([Play([1, 2, *LOST]), None, Play(LOST), None])
    source = open_webcam(cameras, reconnect=reconnect)
    frames = iter(source)
    assert levels(take(frames, cameras, 1)) == [2]
    with pytest.raises(SourceError) as caught:
        next(frames)
    assert str(caught.value) == expected
    assert len(cameras.opened) == 1 + reconnect
    assert not source.status.is_connected


def test_close_wakes_a_read_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam, "CLOSE_SECONDS", 0)
    cameras = CameraDouble([Play([1, HANG])])
    source = open_webcam(cameras)
    ended = threading.Event()
    reader = threading.Thread(target=lambda: ended.set() if list(source) == [] else None)
    reader.start()
    assert cameras.hanging.wait(10)
    source.close()
    assert ended.wait(10)
    cameras.let_go.set()
    reader.join(10)


def test_an_opening_that_hangs_is_given_up_and_the_camera_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam, "OPEN_SECONDS", 0.05)
    cameras = CameraDouble([Play([HANG, 1])])
    with pytest.raises(SourceError, match=r"webcam '0' gives no picture within 0.05 s; close other programs"):
        open_webcam(cameras)
    cameras.let_go.set()
    for thread in threading.enumerate():
        if thread.name == "mirilla-webcam":
            thread.join(10)
    assert cameras.released == 1


@pytest.mark.parametrize(
    ("cameras", "expected"),
    [
        (
            CameraDouble([None], why="is not there", named=[[Camera(1, "A"), Camera(4, "B")]]),
            "source: webcam '0' is not there; there are 1 (A), 4 (B)",
        ),
        (
            CameraDouble([None], why="is not there", named=[[]]),
            "source: webcam '0' is not there; no camera was found: plug one in, or give a file",
        ),
        # it opens, and gives nothing
        (
            CameraDouble([Play(LOST)]),
            "source: webcam '0' opens, but gives no picture; close other programs that use it, or try another cable; "
            "there are 0 (HD Webcam)",
        ),
    ],
)
def test_a_camera_that_cannot_be_had_is_one_line_with_those_that_are_there(
    cameras: CameraDouble, expected: str
) -> None:
    with pytest.raises(SourceError) as caught:
        open_webcam(cameras)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("2", 2),
        ("/dev/video2", "/dev/video2"),
        ("webcam:hd webcam", 0),
        # a part of the name
        ("webcam:LOGI", 2),
        # the whole name of one, a part of another's
        ("webcam:webcam", 5),
    ],
)
def test_a_camera_is_found_by_number_path_or_name(text: str, device: int | str) -> None:
    present = [Camera(0, "HD Webcam"), Camera(2, "Logitech C920"), Camera(5, "Webcam")]
    cameras = CameraDouble([Play([1])], named=[present])
    open_webcam(cameras, WebcamSpec.parse(text)).close()
    assert cameras.opened == [device]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cam", "source: webcam 'cam' is the name of several; give the number; there are 0 (Cam A), 1 (Cam B)"),
        ("kinect", "source: webcam 'kinect' is not there; there are 0 (Cam A), 1 (Cam B)"),
    ],
)
def test_a_name_that_is_no_camera_s_is_answered_with_the_names_there_are(name: str, expected: str) -> None:
    cameras = CameraDouble([Play([1])], named=[[Camera(0, "Cam A"), Camera(1, "Cam B")]])
    with pytest.raises(SourceError) as caught:
        open_webcam(cameras, WebcamSpec(name))
    assert str(caught.value) == expected
    assert cameras.opened == []


@pytest.mark.parametrize(
    ("taken_ns", "expected"),
    [
        # 30 ms before it arrived: the driver knows better
        (1_070_000_000, 1_070_000_000),
        # another clock, ahead of ours or far behind it
        (1_200_000_000, 1_100_000_000),
        (70_000_000, 1_100_000_000),
    ],
)
def test_the_driver_s_time_is_taken_where_it_can_be_true(taken_ns: int, expected: int) -> None:
    cameras = CameraDouble([Play([1, 2], taken_ns=[0, taken_ns])], step_ns=50_000_000)
    with open_webcam(cameras) as source:
        assert take(iter(source), cameras, 1)[0].captured_at_ns == expected


def test_the_newest_picture_wins_and_the_gap_is_seen() -> None:
    cameras = CameraDouble([Play([0, *range(1, 9), HANG])])
    source = open_webcam(cameras)
    frames = iter(source)
    first = take(frames, cameras, 1)
    for _ in range(7):
        cameras.permits.release()
    assert cameras.hanging.wait(10)
    newest = next(frames)
    cameras.let_go.set()
    source.close()
    assert levels([*first, newest]) == [1, 8]
    assert newest.index == 7
    assert source.status.superseded == 6


def test_the_frame_loop_runs_over_a_webcam_and_its_ledger_balances() -> None:
    cameras = CameraDouble([Play([0, 1, 2, HANG])])
    sink = ScriptedSink()
    pipeline = Pipeline(open_webcam(cameras), [], [sink])

    def play() -> None:
        """Called now and then while the loop runs: the next picture, and in the end the user's stop."""
        cameras.permits.release()
        if cameras.hanging.is_set():
            cameras.let_go.set()
            pipeline.stop()

    pipeline.run(play)
    frames = pipeline.metrics.report({})["frames"]
    assert frames["captured"] == frames["written"] + sum(frames["dropped"].values()) == 2
    assert sink.indices[-1] == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mirilla-")]
