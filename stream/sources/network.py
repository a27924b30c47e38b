"""Cameras and files that are reached over a network: RTSP, and over HTTP(S) files, MPEG-TS, MJPEG and HLS.

The first station of their frames: opened by the command's thread, iterated by the capture thread, closed by any. Each
connection is read by a thread of its own (`stream.sources.network_connection`).
"""

from __future__ import annotations

import difflib
import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

import av
import av.error
from numpy import uint8
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.frame import AudioTrack, Frame, SourceInfo
from stream.sources.address import has_unescaped_credentials, host_of, is_address, shown, stream_name
from stream.sources.backoff import LONGEST_AFTER_SILENCE_SECONDS, first_wait_seconds, patience_seconds, wait_seconds
from stream.sources.loss import LostError
from stream.sources.network_connection import Arrival, Connection
from stream.sources.network_stream import StreamFacts
from stream.sources.return_watch import ReturnWatch
from stream.sources.source import Source, SourceKind, SourceOptions, SourceStatus
from stream.sources.still import letterboxed
from stream.sources.timeline import Timeline
from stream.sources.upright import UprightConverter

SCHEMES = ("rtsp", "rtsps", "http", "https")

ARRIVAL_TIME_BASE = Fraction(1, 90_000)
"""Seconds a tick of the times of a stream that has no clock of its own."""

_log = logging.getLogger("mirilla")


class Link(Protocol):
    """What the source needs of a connection: see `stream.sources.network_connection.Connection`."""

    facts: StreamFacts | None

    def take(self, timeout_seconds: float) -> Arrival | None:
        """The next picture."""

    def leave(self) -> None:
        """Take nothing more."""


Connect = Callable[[str, SourceOptions, int | None], Link]
"""Starts a connection: address, options, and the time of the last picture that was had of a recording."""


class NetworkSource(Source):
    """The frames of one address, over as many connections as it takes.

    - A stream without a known end is live: the newest picture wins, and a stream that breaks, ends or stands still is
      connected to anew (`stream.sources.backoff`). Nothing is shown for the time between. What has a length is recorded
      material: it waits, and goes on after a break at the picture that follows.
    - A live stream's `pts` go on over reconnections, see `stream.sources.timeline`.
    - Frames are upright, with square pixels, and all of one size: pictures of another size, as after a camera was set
      anew, are fitted into the first with their proportions kept.
    """

    def __init__(
        self,
        address: str,
        options: SourceOptions | None = None,
        *,
        connect: Connect | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        chance: Callable[[], float] = random.random,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """Connect and wait for the first picture.

        Args:
            address: begins with one of `SCHEMES`.
            options: time limits, transport, attempts.
            connect: what opens connections.
            clock_ns: a monotonic clock.
            chance: numbers from 0 to 1 for the waits between attempts.
            wait: waits so many seconds, and says whether the source was closed meanwhile.

        Raises:
            SourceError: it cannot be reached, gives no picture in time, or has none; the message hides credentials.
        """
        self._address = address
        self._shown = shown(address)
        self._options = options or SourceOptions()
        self._connect = connect or _connect_with(clock_ns)
        self._clock_ns = clock_ns
        self._chance = chance
        self._closed = threading.Event()
        self._lock = threading.Lock()
        began_ns = clock_ns()
        self._link = self._connect(address, self._options, None)
        try:
            self._first = self._link.take(self._options.connect_seconds)
            if self._first is None or self._link.facts is None:
                raise RuntimeError("a connection was left before anything was taken from it")
            self._facts = self._link.facts
            self._converter = UprightConverter(self._facts.sample_aspect)
            self.info = self._describe(self._first)
        except LostError as lost:
            self._link.leave()
            raise SourceError(f"source: '{self._shown}' {lost.what}; {lost.mend}") from lost
        except BaseException:
            self._link.leave()
            raise
        self._usual_seconds = (self._first.arrived_ns - began_ns) / 1e9
        self._timeline = Timeline(self.info.time_base)
        self._pts: int | None = None
        self._frames = self._first_number = self._next_index = 0
        self._connected_ns = self._last_frame_ns = self._first.arrived_ns
        self._attempt = self._reconnects = self._lost_ns = self._superseded = 0
        self._wait = wait or ReturnWatch(address, self._closed).wait

    @property
    def status(self) -> SourceStatus:
        """Whether it is connected, how often it was lost and for how long."""
        with self._lock:
            is_connected = not self._attempt
            running_ns = 0 if is_connected else self._clock_ns() - self._last_frame_ns
            return SourceStatus(
                is_connected=is_connected,
                last_frame_ns=self._last_frame_ns,
                attempt=self._attempt,
                reconnects=self._reconnects,
                lost_ns=self._lost_ns + running_ns,
                superseded=self._superseded,
            )

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            SourceError: the source was lost, and the attempts to get it back are used up.
        """
        try:
            while True:
                try:
                    arrival = self._next_arrival()
                    if arrival is None:
                        return
                    frame = self._frame_of(arrival)
                except LostError as lost:
                    if not self._is_regained(lost):
                        return
                    continue
                yield frame
        finally:
            self.close()

    def close(self) -> None:
        """End the iteration at once, also where it waits for the network; never waits itself."""
        self._closed.set()
        with self._lock:
            self._link.leave()

    def _next_arrival(self) -> Arrival | None:
        """The next picture, or None once closed."""
        if self._first is not None:
            arrival, self._first = self._first, None
            return None if self._closed.is_set() else arrival
        return self._link.take(self._options.lost_after_seconds)

    def _is_regained(self, lost: LostError) -> bool:
        """Connect anew, again and again, until there is a picture; False once closed, or where the material is over."""
        limit = self._options.reconnect
        for attempt in itertools.count(1):
            self._link.leave()
            if lost.is_end and not self.info.is_live:
                return False
            if lost.is_final or (limit is not None and attempt > limit):
                raise self._broken(lost)
            if attempt == 1:
                _log.warning("%s: %s; reconnecting", self._shown, lost.what)
            with self._lock:
                self._attempt = attempt
            patience = patience_seconds(attempt, self._usual_seconds, self._options.connect_seconds)
            if self._wait(self._wait_before(attempt, lost)) or not self._reconnect(patience):
                return False
            try:
                self._first = self._link.take(patience)
            except LostError as again:
                lost = again
                continue
            break
        return self._first is not None and self._has_come_back(self._first)

    def _wait_before(self, attempt: int, lost: LostError) -> float:
        if attempt > 1:
            seconds = wait_seconds(attempt, self._chance())
            return min(seconds, LONGEST_AFTER_SILENCE_SECONDS) if lost.is_silent else seconds
        return first_wait_seconds((self._last_frame_ns - self._connected_ns) / 1e9, self._chance())

    def _reconnect(self, patience: float) -> bool:
        options = replace(self._options, connect_seconds=patience)
        with self._lock:
            if self._closed.is_set():
                return False
            self._link = self._connect(self._address, options, None if self.info.is_live else self._pts)
            return True

    def _has_come_back(self, first: Arrival) -> bool:
        """Go on with a new connection's clock and numbers; False where it is no live stream any more."""
        facts = self._link.facts
        if facts is None or facts.is_live != self.info.is_live:
            if not self.info.is_live:
                raise self._broken(LostError("has something else now", "run it again", is_final=True))
            _log.warning("%s: the live stream is over", self._shown)
            return False
        gap_ns = first.arrived_ns - self._last_frame_ns
        with self._lock:
            self._attempt = 0
            self._reconnects += 1
            self._lost_ns += gap_ns
        _log.warning("%s: back after %.1f s", self._shown, gap_ns / 1e9)
        self._connected_ns = first.arrived_ns
        self._facts = facts
        self._converter = UprightConverter(facts.sample_aspect)
        self._timeline.reconnected()
        self._first_number = self._next_index
        if (size := self._converter.size_wh(first.picture)) != (self.info.width, self.info.height):
            fitted = f"{self.info.width}x{self.info.height}"
            _log.warning("%s: pictures are now %dx%d; they are fitted into %s", self._shown, *size, fitted)
        return True

    def _broken(self, lost: LostError) -> SourceError:
        limit = self._options.reconnect
        attempts = f", and did not come back in {limit} attempts" if limit and not lost.is_final else ""
        return SourceError(f"source: '{self._shown}' {lost.what} after {self._frames} frames{attempts}; {lost.mend}")

    def _frame_of(self, arrival: Arrival) -> Frame:
        image = self._image_of(arrival.picture)
        index = self._first_number + arrival.number
        self._pts = self._pts_of(arrival)
        with self._lock:
            self._superseded += index - self._next_index
            self._last_frame_ns = arrival.arrived_ns
        self._next_index = index + 1
        self._frames += 1
        return Frame(image, self._pts, self.info.time_base, index, arrival.arrived_ns)

    def _pts_of(self, arrival: Arrival) -> int:
        ticks = arrival.picture.pts if self._facts.has_clock else None
        if self.info.is_live:
            return self._timeline.pts_of(ticks, self._facts.time_base, arrival.arrived_ns)
        if arrival.picture.pts is not None:
            return arrival.picture.pts
        step = 1 / (self.info.rate * self.info.time_base) if self.info.rate else 1
        return 0 if self._pts is None else self._pts + max(1, round(step))

    def _image_of(self, picture: av.VideoFrame) -> NDArray[uint8]:
        try:
            image = self._converter.convert(picture, self._converter.size_wh(picture))
        except av.error.FFmpegError as error:
            lost = LostError.while_reading(error, is_live=self.info.is_live)
        else:
            return letterboxed(image, (self.info.width, self.info.height))
        raise lost

    def _describe(self, first: Arrival) -> SourceInfo:
        facts = self._facts
        width, height = self._converter.size_wh(first.picture)
        return SourceInfo(
            name=stream_name(self._address),
            width=width,
            height=height,
            rate=facts.rate,
            time_base=ARRIVAL_TIME_BASE if facts.is_live and not facts.has_clock else facts.time_base,
            is_live=facts.is_live,
            frame_count=facts.frame_count,
            audio=None if facts.audio is None else AudioTrack(self._address, *facts.audio),
        )


def _connect_with(clock_ns: Callable[[], int]) -> Connect:
    def connect(address: str, options: SourceOptions, resume_after: int | None) -> Connection:
        return Connection(address, options, resume_after=resume_after, clock_ns=clock_ns)

    return connect


def _open(text: str, options: SourceOptions) -> NetworkSource:
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in SCHEMES:
        close = difflib.get_close_matches(scheme.lower(), SCHEMES, n=2)
        mend = f"did you mean {' or '.join(close)}?" if close else f"give one of {', '.join(SCHEMES)}, or a path"
        raise SourceError(f"source: '{shown(text)}': {scheme}:// is no protocol that Mirilla reads; {mend}")
    if has_unescaped_credentials(text):
        raise SourceError(
            f"source: '{shown(text)}': the user name or password has a character that ends it; "
            "write %2F for /, %3F for ?, %23 for #, %40 for @"
        )
    if not host_of(text):
        raise SourceError(f"source: '{shown(text)}' names no host; write {scheme.lower()}://HOST/PATH")
    # libav knows protocols by their names in lower case only.
    return NetworkSource(f"{scheme.lower()}://{rest}", options)


SOURCE = SourceKind("network (rtsp://, http://)", is_address, _open)
