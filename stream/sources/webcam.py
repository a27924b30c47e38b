"""Webcams, through OpenCV.

A thread of the source's own opens the camera and reads it, because OpenCV cannot be interrupted: the capture thread
only takes the newest frame, and `close` wakes it at once. A camera that stops giving pictures is opened again until it
is back, under whatever number; until then there are no frames.
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.frame_buffer import FrameBuffer
from stream.sources.backoff import wait_seconds
from stream.sources.camera_stamp import TIME_BASE, FrameStamp
from stream.sources.cameras import Camera, CameraFormat, CameraPort, Cameras, Device, Picture
from stream.sources.source import Source, SourceKind, SourceOptions, SourceStatus
from stream.sources.still import letterboxed
from stream.sources.webcam_spec import WebcamSpec, means_webcam

OPEN_SECONDS = 10.0
"""How long a camera may take from opening to its first picture."""

LOST_AFTER_READS = 5
LOST_AFTER_SECONDS = 3.0
"""So many reads in a row without a picture, or so long without one, and the camera is opened again."""

LONGEST_WAIT_SECONDS = 3.0
"""Between two attempts to open a lost camera; it is on this machine, so that trying costs nobody anything."""

CLOSE_SECONDS = 3.0
"""How long `close` waits for a read that OpenCV is in."""

_log = logging.getLogger("mirilla")


class Webcam(Source):
    """A camera of this machine."""

    def __init__(
        self,
        spec: WebcamSpec,
        cameras: Cameras | None = None,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        reconnect: int | None = None,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        """Open the camera and wait for its first picture, whose size is the stream's.

        Args:
            spec: which camera, and what to ask for.
            cameras: those of this machine.
            clock_ns: stamps frames that the driver does not.
            reconnect: how often in a row a lost camera is tried before the source breaks; None for ever.
            longest_wait_seconds: between two such attempts.

        Raises:
            SourceError: it is missing, busy or forbidden, or gives no picture; says which cameras there are.
        """
        self._spec = spec
        self._cameras = cameras or Cameras()
        self._clock_ns = clock_ns
        self._reconnect = reconnect
        self._longest_wait_seconds = longest_wait_seconds
        self._known: Camera | None = None
        self._port: CameraPort | None = None
        self._closed = threading.Event()
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._is_open = False
        self._error: BaseException | None = None
        self._frames: FrameBuffer[Frame] = FrameBuffer(1, "newest", self._superseded)
        self._lock = threading.Lock()
        self._status = SourceStatus(True, clock_ns(), attempt=0, reconnects=0, lost_ns=0, superseded=0)
        self._stamp = FrameStamp()
        self._thread = threading.Thread(target=self._run, name="mirilla-webcam", daemon=True)
        self._thread.start()
        if not self._ready.wait(OPEN_SECONDS):
            self._closed.set()
            raise self._refusal(f"gives no picture within {OPEN_SECONDS:g} s; close other programs that use it")
        if not self._is_open and self._error is not None:
            raise self._error

    @property
    def status(self) -> SourceStatus:
        """Whether it is there, how often it was lost and for how long."""
        with self._lock:
            now = self._status
            gone_ns = 0 if now.is_connected else self._clock_ns() - now.last_frame_ns
            return replace(now, lost_ns=now.lost_ns + gone_ns)

    def __iter__(self) -> Iterator[Frame]:
        """The newest frame, whenever there is one; a frame that nobody fetched in time leaves a gap in the indices."""
        self._wanted.set()
        yield from self._frames
        if self._error is not None and not self._closed.is_set():
            raise self._error

    def close(self) -> None:
        """Wake whoever waits for a frame, and let the camera go."""
        self._closed.set()
        self._frames.abort()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        """The reader thread: opens, reads, opens again."""
        try:
            # The first picture tells the size; what comes before somebody wants frames is only read away.
            self._describe(self._opened().image)
            self._is_open = True
            self._ready.set()
            while not self._closed.is_set():
                picture = self._next_picture() or self._back_again()
                if picture is None:
                    break
                self._deliver(picture)
        except _NoPicture as missing:
            self._error = self._refusal(missing.what)
        except BaseException as error:
            self._error = error
        finally:
            self._release()
            self._ready.set()
            self._frames.end()

    def _opened(self) -> Picture:
        """Open the camera; its first picture. Raises _NoPicture."""
        device = self._resolve()
        self._port = self._cameras.open(device, self._spec.wish)
        if self._port is None:
            raise _NoPicture(self._cameras.obstacle(device))
        picture = self._next_picture()
        if picture is None:
            self._release()
            raise _NoPicture("opens, but gives no picture; close other programs that use it, or try another cable")
        return picture

    def _next_picture(self) -> Picture | None:
        """The next picture; None where the camera is lost or the source closed. One failed read is no loss."""
        began_ns = self._clock_ns()
        for _ in range(LOST_AFTER_READS):
            picture = self._port.read() if self._port is not None else None
            if picture is not None:
                return picture
            if self._closed.is_set() or self._clock_ns() - began_ns >= LOST_AFTER_SECONDS * 1e9:
                break
        return None

    def _back_again(self) -> Picture | None:
        """Wait for the camera to come back; its first picture, or None where the source is closed.

        Raises:
            SourceError: it did not come back in as many attempts as were allowed.
        """
        self._release()
        if self._closed.is_set():
            return None
        _log.warning("%s was lost", self.info.name)
        self._note(is_connected=False)
        attempt = 0
        while self._reconnect is None or attempt < self._reconnect:
            attempt += 1
            self._note(is_connected=False, attempt=attempt)
            wait = min(wait_seconds(attempt, random.random()), self._longest_wait_seconds)
            if self._closed.wait(wait):
                return None
            try:
                picture = self._opened()
            except _NoPicture as missing:
                _log.debug("attempt %d: %s %s", attempt, self.info.name, missing.what)
                continue
            self._is_back()
            return picture
        attempts = f" and did not come back in {attempt} attempts" if attempt else ""
        raise SourceError(f"source: {self.info.name} was lost{attempts}; plug it in again")

    def _is_back(self) -> None:
        """Note how long there was no picture, from the last one to the first one after it."""
        status = self.status
        gone_seconds = (self._clock_ns() - status.last_frame_ns) / 1e9
        self._note(is_connected=True, attempt=0, reconnects=status.reconnects + 1, lost_ns=status.lost_ns)
        self._stamp.interrupted()
        _log.warning("%s is back after %.1f s", self.info.name, gone_seconds)

    def _note(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)

    def _superseded(self, _frame: Frame) -> None:
        self._note(superseded=self._status.superseded + 1)

    def _release(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.release()

    def _resolve(self) -> Device:
        """What to open: the camera that was opened before, where it has another number now."""
        text, named = self._spec.device, self._cameras.named()
        if self._known is not None:
            same_place = [camera for camera in named if camera == self._known]
            same_name = [camera for camera in named if camera.name == self._known.name]
            return (same_place or same_name or [self._known])[0].device
        device: Device
        if text.isdecimal():
            device = int(text)
        elif text.startswith("/dev/"):
            device = text
        else:
            device = self._by_name(named).device
        number = re.fullmatch(r"video(\d+)", self._cameras.path_of(device).resolve().name)
        self._known = next(
            (camera for camera in named if number is not None and camera.device == int(number[1])),
            None,
        )
        return device

    def _by_name(self, named: list[Camera]) -> Camera:
        wanted = self._spec.device.casefold()
        for fits in (wanted.__eq__, lambda name: wanted in name):
            found = [camera for camera in named if fits(camera.name.casefold())]
            if len(found) > 1:
                raise _NoPicture("is the name of several; give the number")
            if found:
                return found[0]
        raise _NoPicture("is not there")

    def _refusal(self, what: str) -> SourceError:
        present = ", ".join(str(camera) for camera in self._cameras.present())
        there = f"there are {present}" if present else "no camera was found: plug one in, or give a file"
        return SourceError(f"source: webcam {self._spec.device!r} {what}; {there}")

    def _describe(self, image: NDArray[np.uint8]) -> None:
        """Believe the picture, then the camera, and nothing that was only asked for."""
        height, width = image.shape[:2]
        said = self._port.granted() if self._port is not None else CameraFormat((width, height))
        granted = replace(said, size_wh=(width, height))
        name = f"webcam {self._spec.device if self._known is None else self._known}"
        # Rates follow the light and the load, so that none is declared.
        self.info = SourceInfo(name, width, height, None, TIME_BASE, is_live=True)
        self._stamp.promised = granted.rate
        level = logging.INFO if self._spec.is_granted(granted) else logging.WARNING
        _log.log(level, "%s: asked for %s, got %s", name, self._spec.wish, granted)

    def _deliver(self, picture: Picture) -> None:
        if not self._wanted.is_set():
            self._note(last_frame_ns=self._clock_ns())
            return
        now_ns, taken_ns = self._clock_ns(), picture.taken_ns
        # A driver whose clock is another one gives times far from ours.
        captured_ns = taken_ns if taken_ns is not None and 0 <= now_ns - taken_ns < 1_000_000_000 else now_ns
        # Another camera of this name may have been plugged in; sinks know only the size that the stream began with.
        image = letterboxed(picture.image, (self.info.width, self.info.height))
        frame = self._stamp.frame(image, captured_ns)
        self._note(last_frame_ns=captured_ns)
        self._frames.put(frame)
        promised = self._stamp.promised
        measured = self._stamp.slow_rate(frame)
        if measured is not None:
            text = "%s gives %.1f frames a second of the %g it promised: in the dark many cameras expose for longer"
            _log.warning(text, self.info.name, measured, promised)


class _NoPicture(Exception):  # noqa: N818 - no error yet: the camera is tried again
    """The camera did not open, or opened and gave nothing."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _open(text: str, options: SourceOptions) -> Webcam:
    return Webcam(WebcamSpec.parse(text), reconnect=options.reconnect)


SOURCE = SourceKind("webcam (0, 1, /dev/video0, webcam:NAME)", means_webcam, _open)
