"""A window on the screen: the annotated picture as it comes, and keys to steer the stream.

Two threads meet here. The write thread hands over the newest picture and never waits for the screen; the thread that
opened the window, the pipeline's caller, shows it and hears the keys in `attend`. A live stream that is paused goes on
behind the picture that stands; recorded material is shown at its own speed, and waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.controls import Controls, Notice
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.overlays.notices import draw_help, draw_notices
from stream.overlays.theme import TEXT, WARNING, Colour
from stream.sinks.clipping import Recording, clipping_path, save_picture
from stream.sinks.gui import Gui, HighGui
from stream.sinks.pace import Pace
from stream.sinks.sink import Sink, SinkKind
from stream.sinks.window_keys import HELP, KEYS, POINTING_HELP
from stream.sinks.window_pointing import WindowPointing

FOLDER = Path("out")
"""Where pictures and recordings go."""

_KEY_WAIT_MS = 10
_NOTICE_SECONDS = 3.0
_WAKE_SECONDS = 0.1
_log = logging.getLogger("mirilla")


class WindowSink(Sink):
    """Shows the stream."""

    is_view = True

    def __init__(
        self, gui: Gui | None = None, *, folder: Path = FOLDER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Touches no screen; see `open`.

        Args:
            gui: the window itself.
            folder: where pictures and recordings go.
            clock: seconds that only go forward.
        """
        self._gui: Gui = gui or HighGui()
        self._folder = folder
        self._clock = clock
        self._info: SourceInfo | None = None
        self._thread: threading.Thread | None = None
        self._made: list[str] = []
        # The window's thread:
        self.pointing = WindowPointing()
        self._shown: NDArray[np.uint8] | None = None
        self._shown_pts_seconds = 0.0
        self._shown_count = 0
        self._drawn: object = None
        self._notice: tuple[float, str, Colour] | None = None
        self._is_helping = False
        self._further_help: list[tuple[str, str]] = []
        self._heard_notice: Notice | None = None
        self._was_open = False
        # The write thread:
        self._pace = Pace(clock)
        self._frames = 0
        self._recording: Recording | None = None
        # Both:
        self._changed = threading.Condition()
        self._newest: NDArray[np.uint8] | None = None
        self._newest_pts_seconds = 0.0
        self._is_paused = False
        self._is_left = False
        self._is_finished = False
        self._wants_recording = False
        self._recording_since: float | None = None
        self._said: tuple[str, Colour] | None = None

    @override
    def open(self, info: SourceInfo) -> None:
        """Open the window, on the thread that will `attend` to it."""
        self._gui.open(f"Mirilla: {info.name}", (info.width, info.height))
        self._info = info
        self._thread = threading.current_thread()

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Hand the picture over; recorded material waits until its time has come, and while the stream is paused."""
        if self._info is not None and not self._info.is_live:
            self._wait(lambda: self._pace.seconds_until(result.frame.pts_seconds))
        self._frames += 1
        self._record(image, result)
        with self._changed:
            self._newest_pts_seconds = result.frame.pts_seconds
        self.refresh(image)

    def refresh(self, image: NDArray[np.uint8]) -> None:
        """Show a picture that is no new frame: the figures on it have changed."""
        picture = image.copy()
        with self._changed:
            self._newest = picture

    @override
    def attend(self, controls: Controls, seconds: float) -> bool:
        """Show the newest picture and hear the keys, for so many seconds or until the stream has ended."""
        if self._info is None:
            return False
        until = self._clock() + seconds
        while True:
            with self._changed:
                is_finished = self._is_finished
                if controls.is_stopping:
                    self._leave()
            if is_finished:
                self._gui.close()
                self._info = None
                return True
            if self._is_left:
                return False
            self._hear(controls)
            self._show()
            # Other windows may wait for their turn on this thread.
            left_ms = round(1000 * (until - self._clock()))
            key = self._gui.key(max(1, min(left_ms, _KEY_WAIT_MS)))
            is_open = self._gui.is_open()
            binding = KEYS.get(key.lower()) if key is not None else None
            self._point(controls)
            if binding is not None:
                binding.act(self, controls)
            elif self._was_open and not is_open:
                self.leave(controls)
            # A busy screen takes a while to show a new window: only one that was seen can have been closed.
            self._was_open = self._was_open or is_open
            if self._clock() >= until:
                return True

    @override
    def close(self) -> None:
        """Finish a recording; the window goes when its thread attends to it once more. A single picture stays."""
        if self._frames == 1 and self._info is not None and not self._info.is_live:
            self._wait(lambda: None)
        self._end_recording()
        with self._changed:
            self._is_finished = True
        if threading.current_thread() is self._thread and self._info is not None:
            self._gui.close()
            self._info = None

    @override
    def paths(self) -> list[str]:
        """The pictures and recordings that were made."""
        return list(self._made)

    # What keys do, on the thread of the window.

    def leave(self, controls: Controls) -> None:
        """End the stream."""
        with self._changed:
            self._leave()
        controls.stop()

    def pause(self, _controls: Controls) -> None:
        """Stop the picture, or let it go on."""
        with self._changed:
            self._is_paused = not self._is_paused
            self._pace.reset()
            self._changed.notify_all()

    def save(self, _controls: Controls) -> None:
        """Save the picture that is shown."""
        if self._shown is None or self._info is None:
            return
        path = clipping_path(self._folder, self._info.name, ".png")
        try:
            save_picture(path, self._shown)
        except SinkError as error:
            self._say(str(error), WARNING)
            return
        self._made.append(str(path))
        self._say(f"saved {path}")

    def record(self, _controls: Controls) -> None:
        """Begin to record with the next frame, or end."""
        with self._changed:
            self._wants_recording = not self._wants_recording

    def help(self, _controls: Controls) -> None:
        """Show the keys, or no longer."""
        self._is_helping = not self._is_helping

    # The picture on the screen, on the thread of the window.

    def _point(self, controls: Controls) -> None:
        """Hear the mouse."""
        for stroke in self._gui.strokes():
            if self._shown is not None:
                height, width = self._shown.shape[:2]
                self.pointing.stroke(stroke, self._shown_pts_seconds, (width, height), controls)
                if self._is_paused and self._info is not None and not self._info.is_live:
                    self._say("it is cut out when the picture goes on")

    def _hear(self, controls: Controls) -> None:
        """Take over what the stream says to whoever looks."""
        notice = controls.notice
        if notice is not None and notice != self._heard_notice:
            self._say(notice.text, WARNING if notice.is_warning else TEXT)
        self._heard_notice = notice
        pointing = POINTING_HELP if controls.pointed_objects is not None else []
        self._further_help = [*pointing, *controls.classes.rows()] if self._is_helping else []

    def _show(self) -> None:
        with self._changed:
            if self._newest is not None and not (self._is_paused and self._shown is not None):
                self._shown, self._newest = self._newest, None
                self._shown_pts_seconds = self._newest_pts_seconds
                self._shown_count += 1
            notices = self._notices()
        drawn = (self._shown_count, notices, self._is_helping, self._further_help)
        if self._shown is None or drawn == self._drawn:
            return
        picture = self._shown
        if notices or self._is_helping:
            picture = picture.copy()
            draw_notices(picture, notices)
            if self._is_helping:
                draw_help(picture, HELP, self._further_help)
        self._gui.show(picture)
        self._drawn = drawn

    def _notices(self) -> list[tuple[str, Colour]]:
        now = self._clock()
        if self._said is not None:
            self._notice, self._said = (now + _NOTICE_SECONDS, *self._said), None
        notices = [("paused", TEXT)] if self._is_paused else []
        if self._recording_since is not None:
            minutes, seconds = divmod(int(now - self._recording_since), 60)
            notices.append((f"recording {minutes}:{seconds:02}", WARNING))
        if self._notice is not None and now < self._notice[0]:
            notices.append(self._notice[1:])
        return notices

    def _say(self, text: str, colour: Colour = TEXT) -> None:
        with self._changed:
            self._said = (text, colour)

    def _leave(self) -> None:
        self._is_left = True
        self._changed.notify_all()

    # The write thread.

    def _wait(self, seconds_left: Callable[[], float | None]) -> None:
        """Wait until no second is left (None: for ever), and while paused; ends at once when the person leaves."""
        with self._changed:
            while not self._is_left:
                left = None if self._is_paused else seconds_left()
                if left is not None and left <= 0:
                    return
                self._changed.wait(_WAKE_SECONDS if left is None else min(left, _WAKE_SECONDS))

    def _record(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        with self._changed:
            wanted = self._wants_recording
        try:
            if wanted and self._recording is None and self._info is not None:
                path = clipping_path(self._folder, self._info.name, ".mp4")
                self._recording = Recording(path, self._info, image)
                with self._changed:
                    self._recording_since = self._clock()
            if not wanted:
                self._end_recording()
            elif self._recording is not None:
                self._recording.write(image, result)
        except SinkError as error:
            # A recording that fails is no reason to end what is being watched.
            _log.warning("%s", error)
            self._say(str(error), WARNING)
            self._end_recording()

    def _end_recording(self) -> None:
        recording, self._recording = self._recording, None
        with self._changed:
            self._wants_recording = False
            self._recording_since = None
        if recording is None:
            return
        try:
            if recording.close():
                self._made.append(str(recording.path))
                self._say(f"recorded {recording.path}")
        except SinkError as error:
            _log.warning("%s", error)
            self._say(str(error), WARNING)


SINK = SinkKind(name="window (on the screen)", accepts=lambda spec: spec == "window", make=lambda _s, _o: WindowSink())
