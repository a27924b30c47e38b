"""Pictures that somebody sends here: an encoder or a browser, one after another, by WHIP (`mirilla serve`).

The first station of their frames. Senders put decoded pictures in from the server's loop, which never waits; the
capture thread takes the newest and makes frames of them. Until somebody sends there are none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace
from typing_extensions import override

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.frame_buffer import FrameBuffer
from stream.sources.source import Source, SourceKind, SourceOptions, SourceStatus
from stream.sources.timeline import Timeline
from stream.sources.upright import KNOWN_MATRICES, UprightConverter

WORD = "whip"
"""What a configuration calls this source."""

TIME_BASE = Fraction(1, 90_000)
"""RTP's, for video."""

USUAL_WH = (640, 480)
"""Said of the stream before anybody has sent; pictures may have any size, and another one at any time."""

MOST_PIXELS = 3840 * 2160
"""Larger pictures are not taken: what a sender may make this machine do is limited."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    picture: av.VideoFrame
    arrived_ns: int
    number: int
    sender: int


class PushedSource(Source):
    """The pictures of whoever sends at the moment; each keeps the size that it came with."""

    def __init__(self, name: str, waits_for: str, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Wait for a sender.

        Args:
            name: of the stream.
            waits_for: what is missing while nobody sends: `a publisher`.
            clock_ns: a monotonic clock.
        """
        width, height = USUAL_WH
        self.info = SourceInfo(name, width, height, None, TIME_BASE, is_live=True)
        self.is_mirrored = False
        """Whether pictures are turned left for right, before models see them."""
        self._clock_ns = clock_ns
        self._arrivals: FrameBuffer[_Arrival] = FrameBuffer(1, "newest", self._superseded)
        self._lock = threading.Lock()
        self._status = SourceStatus(False, clock_ns(), 0, 0, 0, 0, waits_for=waits_for)
        self._sender = self._numbers = 0
        self._closed = False

    @property
    @override
    def status(self) -> SourceStatus:
        with self._lock:
            now = self._status
            gone_ns = 0 if now.is_connected else self._clock_ns() - now.last_frame_ns
            return replace(now, lost_ns=now.lost_ns + gone_ns)

    def put(self, picture: av.VideoFrame) -> None:
        """Take a picture of the present sender; never waits. One that is too large is left out."""
        if picture.width * picture.height > MOST_PIXELS:
            return
        now_ns = self._clock_ns()
        with self._lock:
            status = self._status
            if not status.is_connected:
                is_back = self._numbers > 0
                gone_ns = now_ns - status.last_frame_ns if is_back else 0
                reconnects = status.reconnects + is_back
                status = replace(status, is_connected=True, reconnects=reconnects, lost_ns=status.lost_ns + gone_ns)
            self._status = replace(status, last_frame_ns=now_ns)
            arrival = _Arrival(picture, now_ns, self._numbers, self._sender)
            self._numbers += 1
        self._arrivals.put(arrival)

    def sender_left(self) -> None:
        """The present sender has gone; the next one has a clock of its own."""
        with self._lock:
            self._sender += 1
            self._status = replace(self._status, is_connected=False)

    @override
    def __iter__(self) -> Iterator[Frame]:
        timeline, converter = Timeline(TIME_BASE), UprightConverter()
        sender = 0
        for arrival in self._arrivals:
            if self._closed:
                return
            if arrival.sender != sender:
                timeline.reconnected()
                sender = arrival.sender
            picture = arrival.picture
            if picture.colorspace not in KNOWN_MATRICES:
                # WebRTC's cameras are BT.601 at every size, and seldom say so.
                picture.colorspace = Colorspace.ITU601
            image = converter.convert(picture, (picture.width, picture.height))
            if self.is_mirrored:
                image = np.asarray(cv2.flip(image, 1), np.uint8)
            pts = timeline.pts_of(picture.pts, picture.time_base or TIME_BASE, arrival.arrived_ns)
            yield Frame(image, pts, TIME_BASE, arrival.number, arrival.arrived_ns)

    @override
    def close(self) -> None:
        self._closed = True
        self._arrivals.abort()

    def _superseded(self, _: _Arrival) -> None:
        with self._lock:
            self._status = replace(self._status, superseded=self._status.superseded + 1)


def _open(_text: str, _: SourceOptions) -> PushedSource:
    raise SourceError(f"source: {WORD!r} is sent to a server; run 'mirilla serve', which takes it at /whip/STREAM")


SOURCE = SourceKind("sent here (WHIP)", WORD.__eq__, _open)
