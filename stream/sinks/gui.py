"""The screen, through OpenCV: whether there is one, and a window on it. The only place that calls highgui.

All of it belongs on one thread for as long as the process lives: Qt and GTK take the first that comes and hang or
crash on another, macOS takes the main thread only. The window sink calls it from the pipeline's caller.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from collections import deque
from itertools import chain, count
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.sinks.window_pointing import Stroke

LARGEST_WH = (1280, 800)
"""A picture that is larger begins in a smaller window."""

_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.destroyAllWindows()"
_PROBE_SECONDS = 30
_KEYS_KEPT = 16
_STROKES_KEPT = 64
_thread_lock = threading.Lock()
_thread: threading.Thread | None = None
_windows: list[HighGui] = []


class Gui(Protocol):
    """A window; every call comes from the thread that opened it."""

    def open(self, title: str, size_wh: tuple[int, int]) -> None:
        """Show an empty window for pictures of a size in pixels; raises SinkError where there can be none."""

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show a picture, uint8 (H, W, 3) BGR."""

    def key(self, wait_ms: int) -> str | None:
        """Let the window live for so long, or until a key is pressed: that key's character, or None."""

    def strokes(self) -> list[Stroke]:
        """What the mouse has done on the picture since this was asked."""

    def is_open(self) -> bool:
        """Whether the person has left the window open."""

    def close(self) -> None:
        """Take the window away."""


class HighGui:
    """A `Gui` over OpenCV's highgui, which does not tell which of several windows a key was meant for: all hear it."""

    def __init__(self) -> None:
        """Touches no screen."""
        self._title = ""
        self._unheard: deque[str] = deque(maxlen=_KEYS_KEPT)
        self._pressed: tuple[tuple[int, int], bool] | None = None
        self._strokes: deque[Stroke] = deque(maxlen=_STROKES_KEPT)

    def open(self, title: str, size_wh: tuple[int, int]) -> None:
        """See `Gui`."""
        obstacle = None if _windows else display_obstacle()
        if obstacle is not None:
            raise SinkError(f"sink: window: {obstacle}")
        _claim_thread()
        # Two windows of one title would be one.
        taken = {window._title for window in _windows}
        numbered = (f"{title} ({number})" for number in count(2))
        self._title = title = next(name for name in chain([title], numbered) if name not in taken)
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            scale = min(1.0, *(largest / side for largest, side in zip(LARGEST_WH, size_wh, strict=True)))
            cv2.setMouseCallback(title, self._mouse)
            cv2.resizeWindow(title, *(max(1, round(scale * side)) for side in size_wh))
        except cv2.error as error:
            raise SinkError(
                f"sink: window: OpenCV cannot open one ({error.err}); use a page instead: --sink web"
            ) from error
        _windows.append(self)

    def show(self, image: NDArray[np.uint8]) -> None:
        """See `Gui`."""
        cv2.imshow(self._title, image)

    def key(self, wait_ms: int) -> str | None:
        """See `Gui`."""
        # The upper bits hold modifiers with some systems. Keys without a character have codes beyond the characters':
        # `waitKey` would cut them off, and the left arrow would be a Q.
        code = cv2.waitKeyEx(wait_ms)
        if code >= 0 and code & 0xFFFF < 0x100:
            for window in _windows if self in _windows else [self]:
                window._unheard.append(chr(code & 0xFFFF))
        return self._unheard.popleft() if self._unheard else None

    def strokes(self) -> list[Stroke]:
        """See `Gui`."""
        made = list(self._strokes)
        self._strokes.clear()
        return made

    def is_open(self) -> bool:
        """See `Gui`."""
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:
            return False

    def close(self) -> None:
        """See `Gui`."""
        if self in _windows:
            _windows.remove(self)
        if self.is_open():
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)  # some systems take the window away only when its events are handled

    def _mouse(self, event: int, x: int, y: int, flags: int, _parameter: object) -> None:
        """Hear of a mouse's button; highgui calls it while it waits for a key."""
        if event in (cv2.EVENT_LBUTTONDOWN, cv2.EVENT_RBUTTONDOWN):
            is_beside = event == cv2.EVENT_RBUTTONDOWN or bool(flags & cv2.EVENT_FLAG_SHIFTKEY)
            self._pressed = ((x, y), is_beside)
        elif event in (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP) and self._pressed is not None:
            (start, is_beside), self._pressed = self._pressed, None
            self._strokes.append(Stroke(start, (x, y), is_beside))


def display_obstacle() -> str | None:
    """What keeps a window from opening, with the mend; None where one opens."""
    if not _has_windows():
        return "this OpenCV was built without windows; pip install opencv-python, in the place of -headless"
    if platform.system() != "Linux":
        return None
    display = os.environ.get("DISPLAY")
    if not display:
        return "there is no display here (DISPLAY is not set), as over ssh; use --sink web or --sink out.mp4 instead"
    # Qt ends the whole process where it cannot reach the display, so another process tries.
    try:
        probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"the display {display} does not answer; use --sink web or --sink out.mp4 instead"
    if probe.returncode:
        return f"the display {display} cannot be reached; use --sink web or --sink out.mp4 instead"
    return None


def _has_windows() -> bool:
    try:
        return bool(cv2.currentUIFramework())
    except cv2.error:
        return False


def _claim_thread() -> None:
    global _thread  # noqa: PLW0603 - highgui itself belongs to the process
    here = threading.current_thread()
    with _thread_lock:
        if platform.system() == "Darwin" and here is not threading.main_thread():
            raise SinkError("sink: window: macOS opens windows on the main thread only; run the pipeline there")
        if _thread is not None and _thread is not here:
            raise SinkError(
                "sink: window: the windows of a process belong to one thread; run the pipelines on that one"
            )
        _thread = here
