"""The window with a double in the place of the screen: what is shown, what keys do, and that nobody waits for it."""

from __future__ import annotations

import os
import platform
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.overlays.emphasis import Emphasis
from stream.pipeline import Pipeline
from stream.sinks import gui as gui_module
from stream.sinks.gui import HighGui, display_obstacle
from stream.sinks.window import WindowSink
from stream.sinks.window_keys import HELP
from stream.sinks.window_pointing import Stroke
from tests.stream.doubles import ScriptedSink, ScriptedSource
from tests.stream.sinks.recording import Image, Judge, describe, grey, moment

LIVE = replace(describe(640, 480, None, Fraction(1, 1_000_000)), name="webcam 0 (HD Webcam)", is_live=True)
RECORDED = describe(640, 480)


class Screen:
    """A window that shows nothing and remembers all; the person before it presses keys one after the other."""

    def __init__(self, keys: Sequence[str | None] = ()) -> None:
        self.keys = list(keys)
        self.mouse: list[Stroke] = []
        self.shown: list[Image] = []
        self.opened: list[tuple[str, tuple[int, int]]] = []
        self.has_window = False
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def open(self, title: str, size_wh: tuple[int, int]) -> None:
        self.opened.append((title, size_wh))
        self.has_window = True

    def show(self, image: Image) -> None:
        self.shown.append(image.copy())

    def key(self, wait_ms: int) -> str | None:
        self.seconds += wait_ms / 1000
        return self.keys.pop(0) if self.keys else None

    def strokes(self) -> list[Stroke]:
        made, self.mouse = self.mouse, []
        return made

    def is_open(self) -> bool:
        return self.has_window

    def close(self) -> None:
        self.has_window = False


class Person:
    """A window, its stream's controls, and short ways to feed and look."""

    def __init__(self, folder: Path, info: SourceInfo = LIVE) -> None:
        self.screen = Screen()
        self.sink = WindowSink(self.screen, folder=folder / "out", clock=self.screen.clock)
        self.info = info
        self.stopped = self.toggled = 0
        self.controls = Controls(self._stop, self._toggle_hud)
        self.sink.open(self.info)

    def _stop(self) -> None:
        self.stopped += 1

    def _toggle_hud(self) -> None:
        self.toggled += 1

    def feed(self, level: int, pts: int = 0, size_wh: tuple[int, int] | None = None) -> None:
        width, height = size_wh or (self.info.width, self.info.height)
        image = np.full((height, width, 3), level, np.uint8)
        self.sink.write(image, moment(image, pts, self.info.time_base, level))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.screen.keys.append(key)
            assert self.sink.attend(self.controls, 0)

    def look(self) -> Image:
        """What is on the screen after a moment."""
        assert self.sink.attend(self.controls, 0)
        return self.screen.shown[-1]


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_the_newest_picture_is_shown_and_nobody_waits_for_it(person: Person) -> None:
    assert person.screen.opened == [("Mirilla: webcam 0 (HD Webcam)", (640, 480))]
    for level in (1, 2, 3):
        person.feed(level)
    assert (int(person.look()[0, 0, 0]), len(person.screen.shown)) == (3, 1)
    # What has not changed is not shown again.
    person.look()
    assert len(person.screen.shown) == 1
    person.sink.refresh(grey(LIVE, 9))
    assert int(person.look()[0, 0, 0]) == 9


def test_the_picture_that_is_handed_over_is_the_window_s_own(person: Person) -> None:
    canvas = grey(LIVE, 5)
    person.sink.write(canvas, moment(canvas.copy(), 0, LIVE.time_base))
    canvas[:] = 77
    assert int(person.look()[0, 0, 0]) == 5


def test_a_live_stream_that_is_paused_stands_and_goes_on_behind(person: Person) -> None:
    person.feed(1)
    person.look()
    person.press(" ")
    for level in range(2, 30):
        person.feed(level)
    paused = person.look()
    assert int(paused[-1, -1, 0]) == 1
    assert (paused != 1).any()  # which is said in a corner
    person.press(" ")
    assert np.unique(person.look()).tolist() == [29]


def test_a_paused_recording_waits_and_goes_on(tmp_path: Path) -> None:
    person = Person(tmp_path, RECORDED)
    person.feed(1)
    person.press(" ")
    writer = in_thread(lambda: person.feed(2, pts=512))
    assert int(person.look()[-1, -1, 0]) == 1
    assert writer.is_alive()
    person.press(" ")
    writer.join(10)
    assert int(person.look()[-1, -1, 0]) == 2


@pytest.mark.parametrize("way", ["q", "Q", "closing the window", "Ctrl-C"])
def test_a_paused_recording_ends_when_the_person_leaves(way: str, tmp_path: Path) -> None:
    person = Person(tmp_path, RECORDED)
    person.feed(1)
    person.press(" ")

    def write_and_end() -> None:
        person.feed(2, pts=512)
        person.sink.close()

    writer = in_thread(write_and_end)
    if len(way) == 1:
        person.press(way)
    else:
        if way == "Ctrl-C":
            person.controls.stopping()
        else:
            person.screen.has_window = False
        person.sink.attend(person.controls, 0)
    writer.join(10)
    assert not writer.is_alive()
    assert person.stopped == (way != "Ctrl-C")
    # The thread that opened the window closes it.
    person.sink.attend(person.controls, 0)
    assert not person.screen.has_window


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # (seconds on the clock, presentation time) -> seconds to wait
        ([(10.0, 3.0), (10.0, 3.04)], [0, 0.04]),
        ([(10.0, 3.0), (10.03, 3.04), (10.05, 3.08)], [0, 0.01, 0.03]),
        # a little late: shown at once, and the next in time
        ([(10.0, 3.0), (10.1, 3.04), (10.1, 3.08), (10.1, 3.12)], [0, -0.06, -0.02, 0.02]),
        # held up for a second: not hurried afterwards
        ([(10.0, 3.0), (11.0, 3.04), (11.0, 3.08)], [0, 0, 0.04]),
    ],
)
def test_recorded_frames_are_due_by_their_own_time(events: list[tuple[float, float]], expected: list[float]) -> None:
    screen = Screen()
    pace = WindowSink(screen, clock=screen.clock)._pace
    waits = []
    for screen.seconds, pts_seconds in events:
        waits.append(pace.seconds_until(pts_seconds))
    assert waits == pytest.approx(expected)


def test_a_single_picture_stays_until_the_person_leaves(tmp_path: Path) -> None:
    person = Person(tmp_path, RECORDED)
    person.feed(7)
    closer = in_thread(person.sink.close)
    assert int(person.look()[0, 0, 0]) == 7
    assert closer.is_alive()
    person.press("q")
    closer.join(10)
    assert not closer.is_alive()


@pytest.mark.timeout(60)
def test_a_caller_that_is_interrupted_does_not_wait_for_the_person(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    screen = Screen()
    sink = WindowSink(screen, folder=tmp_path, clock=screen.clock)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(ScriptedSource(1), [], [sink]).run(interrupt)
    assert not screen.has_window


def test_a_picture_is_saved_as_it_is_shown(person: Person) -> None:
    person.press("s")  # nothing is shown yet
    person.feed(42)
    person.press("?", "s")
    path = Path(person.sink.paths()[0])
    assert path.name.startswith("webcam-0-HD-Webcam-")
    saved = cv2.imread(str(path))
    assert saved is not None
    # Without the notices and the help over it.
    assert (saved.shape, np.unique(saved).tolist()) == ((480, 640, 3), [42])
    person.press("s")
    assert len(set(person.sink.paths())) == 2
    assert sorted(map(str, path.parent.iterdir())) == sorted(person.sink.paths())


def test_a_picture_that_cannot_be_saved_is_said_on_the_screen(person: Person, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    person.feed(42)
    person.press("s")
    assert (person.look() != 42).any()
    assert person.sink.paths() == []
    # The notice goes away.
    person.screen.seconds += 4
    assert (person.look() == 42).all()


def test_a_part_of_the_stream_is_recorded_and_begins_at_its_own_zero(person: Person, judge: Judge) -> None:
    second = 1_000_000
    for number in range(3):
        person.feed(10, pts=600 * second + number * second // 25)
    person.look()
    person.press("r")
    for number in range(3, 8):
        person.feed(50, pts=600 * second + number * second // 25)
    assert (person.look() != 50).any()  # it says that it records
    person.press("r")
    person.feed(90, pts=600 * second + 8 * second // 25)
    path = Path(person.sink.paths()[0])
    assert path.suffix == ".mp4"
    assert judge.times(path) == [Fraction(number, 25) for number in range(5)]
    person.sink.close()
    assert person.sink.paths() == [str(path)]


def test_a_recording_that_is_going_on_is_finished_with_the_stream(person: Person, judge: Judge) -> None:
    person.feed(1)
    person.press("r")
    person.feed(2, pts=0)
    person.feed(3, pts=40_000)
    person.sink.close()
    assert judge.times(Path(person.sink.paths()[0])) == [0, Fraction(1, 25)]


def test_a_recording_that_fails_ends_and_the_stream_goes_on(person: Person, caplog: pytest.LogCaptureFixture) -> None:
    person.feed(1)
    person.press("r")
    person.feed(2, pts=40_000)
    person.feed(3, pts=80_000, size_wh=(320, 240))  # another camera was plugged in
    assert "expected a picture of 640x480, got 320x240" in caplog.text
    assert person.look().shape == (240, 320, 3)
    person.feed(4, pts=120_000)
    assert int(person.look()[-1, -1, 0]) == 4
    # What was recorded until then is kept.
    assert len(person.sink.paths()) == 1


def test_the_help_names_every_key(person: Person) -> None:
    person.feed(200)
    person.press("?")
    helped = person.look()
    assert (helped[240, 200:440] != 200).any()
    person.press("?")
    assert (person.look() == 200).all()
    assert [key for key, _ in HELP] == ["q", "space", "s", "r", "h", "1-9", "i", "n", "p", "?"]


def test_keys_choose_classes_and_models_and_say_so(person: Person) -> None:
    steps: list[int] = []
    person.controls.step_model = steps.append
    person.controls.classes.seen = ("person", "dog")
    person.feed(200)
    person.press("2")
    assert person.controls.classes.hidden == {"dog"}
    assert (person.look()[:60, :200] != 200).any()
    person.press("i", "n", "p")
    assert person.controls.classes.emphasis == Emphasis("dog", "blur")
    assert steps == [1, -1]


def test_what_the_stream_has_to_say_is_on_the_screen_for_a_moment(person: Person) -> None:
    person.feed(200)
    person.controls.tell("loading a model ...")
    said = person.look()
    assert (said[:60] != 200).any()
    person.screen.seconds += 4
    assert (person.look() == 200).all()
    # The same words once more are news.
    person.controls.tell("loading a model ...")
    np.testing.assert_array_equal(person.look(), said)


def test_the_help_lists_the_classes_that_have_been_seen_where_there_is_room(person: Person) -> None:
    person.feed(200)
    person.press("?")
    without = person.look()
    person.controls.classes.seen = ("person", "dog")
    assert (person.look() != without).any()
    person.feed(200, size_wh=(480, 240))
    assert (person.look()[120, 140:340] != 200).any()  # the keys alone


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 200), (200, 3), (33, 17)])
def test_notices_and_help_fit_no_tiny_picture_and_break_nothing(person: Person, size_wh: tuple[int, int]) -> None:
    person.feed(5, size_wh=size_wh)
    person.press("?", "s", " ")
    assert person.look().shape == (size_wh[1], size_wh[0], 3)


def test_keys_without_a_meaning_do_nothing(person: Person) -> None:
    person.feed(5)
    person.press("x", "\x1b", "\xff", "0")
    assert (person.look() == 5).all()
    assert (person.stopped, person.toggled) == (0, 0)


def test_the_keys_of_a_window_steer_the_stream_that_it_shows(tmp_path: Path) -> None:
    screen = Screen()
    source = ScriptedSource(1, size_wh=(640, 360), blocks_at_end=True, is_live=True)
    pipeline = Pipeline(source, [], [WindowSink(screen, folder=tmp_path, clock=screen.clock)])
    screen.keys = [None, "h", "q"]
    pipeline.run()
    assert source.closed.is_set()
    assert not screen.has_window


def test_h_hides_the_figures(person: Person) -> None:
    person.press("h")
    assert person.toggled == 1


class HidesAfterTwo(ScriptedSink):
    """Hides the figures when it has got two frames, as a key would."""

    controls: Controls

    def write(self, image: Image, result: FrameResult) -> None:
        super().write(image, result)
        if len(self.images) == 2:
            self.controls.toggle_hud()


def test_a_hidden_hud_is_not_drawn() -> None:
    sink = HidesAfterTwo()
    pipeline = Pipeline(ScriptedSource(4, size_wh=(640, 360)), [], [sink])
    sink.controls = pipeline.controls
    pipeline.run()
    # The source's pictures are of one level each.
    assert [bool(np.ptp(image)) for image in sink.images] == [True, True, False, False]


def test_a_window_that_the_screen_has_not_shown_yet_is_no_window_that_was_closed(person: Person) -> None:
    person.screen.has_window = False
    person.feed(1)
    person.look()
    assert person.stopped == 0
    person.screen.has_window = True
    person.look()
    person.screen.has_window = False
    person.sink.attend(person.controls, 0)
    assert person.stopped == 1


def test_a_window_of_which_nothing_came_is_closed_by_who_opened_it(person: Person) -> None:
    person.sink.close()
    assert not person.screen.has_window
    assert not person.sink.attend(person.controls, 0)


@pytest.mark.parametrize(
    ("system", "display", "probe", "expected"),
    [
        (
            "Linux",
            None,
            0,
            "there is no display here (DISPLAY is not set), as over ssh; use --sink web or --sink out.mp4 instead",
        ),
        ("Linux", "", 0, "there is no display here"),
        ("Linux", ":5", 0, None),
        # set, but nobody is there: Qt would end the process
        (
            "Linux",
            ":5",
            -6,
            "the display :5 cannot be reached; use --sink web or --sink out.mp4 instead",
        ),
        ("Linux", ":5", None, "the display :5 does not answer; use --sink web or --sink out.mp4 instead"),
        ("Windows", None, None, None),
        ("Darwin", None, None, None),
    ],
)
def test_without_a_screen_the_way_out_is_said(
    system: str, display: str | None, probe: int | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: Sequence[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        if probe is None:
            raise subprocess.TimeoutExpired(command, 30)
        return subprocess.CompletedProcess(command, probe)

    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "environ", {} if display is None else {"DISPLAY": display})
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT")
    obstacle = display_obstacle()
    assert obstacle is None if expected is None else expected in str(obstacle)


def test_an_opencv_without_windows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    with pytest.raises(
        SinkError, match=r"^sink: window: this OpenCV was built without windows; pip install opencv-python"
    ):
        HighGui().open("Mirilla", (64, 48))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-1, None),
        (ord("q"), "q"),
        (0x20, " "),
        # with NumLock, as GTK gives it
        (0x100071, "q"),
        # the left arrow of Linux and of Windows: the lowest byte of the first is a Q
        (0xFF51, None),
        (0x250000, "\0"),
    ],
)
def test_only_keys_with_a_character_are_heard(code: int, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "waitKeyEx", lambda _wait_ms: code)
    assert HighGui().key(10) == expected


def test_a_key_is_heard_by_all_windows_once_and_each_has_its_own_title(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, titles = iter([ord("q"), -1, -1, -1]), []
    monkeypatch.setattr(gui_module, "_thread", None)
    monkeypatch.setattr(gui_module, "display_obstacle", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", lambda title, _flags: titles.append(title))
    monkeypatch.setattr(cv2, "resizeWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "setMouseCallback", lambda *_: None)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: -1.0)
    monkeypatch.setattr(cv2, "waitKeyEx", lambda _wait_ms: next(codes))
    windows = [HighGui(), HighGui()]
    for window in windows:
        window.open("Mirilla: door", (64, 48))
    try:
        assert titles == ["Mirilla: door", "Mirilla: door (2)"]
        assert [window.key(1) for window in (*windows, *windows)] == ["q", "q", None, None]
    finally:
        for window in windows:
            window.close()


def test_all_windows_belong_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui_module, "_thread", None)
    gui_module._claim_thread()
    gui_module._claim_thread()
    errors: list[str] = []

    def elsewhere() -> None:
        try:
            gui_module._claim_thread()
        except SinkError as error:
            errors.append(str(error))

    in_thread(elsewhere).join(10)
    assert errors == ["sink: window: the windows of a process belong to one thread; run the pipelines on that one"]
