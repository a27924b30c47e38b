"""One connection to a network source, read by a thread of its own.

Only the thread that reads a container may touch it, and looking up a host name cannot be interrupted by anybody. So
the source (capture thread) only ever waits here for a picture, and leaves a connection that it wants no more: the
reader is interrupted, closes what only it has touched, and ends.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import av
import av.container
import av.error
import av.video

from stream.sources.address import shown
from stream.sources.interruption import forget_this_thread, interrupt
from stream.sources.libav import decoder_of
from stream.sources.loss import LostError
from stream.sources.network_stream import PLAYLISTS, StreamFacts, facts_of, open_address, video_of
from stream.sources.pacing import Pacer
from stream.sources.promise import Promise
from stream.sources.source import SourceOptions

RECORDED_CAPACITY = 4
"""Decoded pictures of recorded material that wait to be taken; of live material only the newest one does."""

UNTIMED_PICTURES = 8
"""So many pictures of a new connection may lack the time that the others have; RTSP's first one does."""

AT_EXIT_SECONDS = 2.0
"""How long the interpreter waits at its end for readers that are looking up a name."""

_log = logging.getLogger("mirilla")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A decoded picture.

    Attributes:
        picture: as libav gives it.
        number: 0, 1, 2, ... of the connection; a gap means that newer pictures won.
        arrived_ns: when it was there, on the monotonic clock.
    """

    picture: av.VideoFrame
    number: int
    arrived_ns: int


class Connection:
    """Opens an address and reads it until it ends, breaks or is left."""

    def __init__(
        self,
        address: str,
        options: SourceOptions,
        *,
        resume_after: int | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Start to connect; see `take`.

        Args:
            address: with its credentials.
            options: time limits and transport.
            resume_after: of recorded material, the time of the last picture that was already had.
            clock_ns: what arrivals are stamped with.
        """
        self.facts: StreamFacts | None = None
        self._damaged = 0
        self._address = address
        self._options = options
        self._resume_after = resume_after
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._ready: deque[Arrival] = deque()
        self._outcome: Exception | None = None
        self._is_left = False
        self._is_done = False
        self._reader = threading.Thread(target=self._run, name="mirilla-network", daemon=True)
        _running.add(self)
        self._reader.start()

    def take(self, timeout_seconds: float) -> Arrival | None:
        """The next picture, or None once the connection was left. Facts are known when the first one is there.

        Raises:
            LostError: there is none within the time, or the stream has no video, ended or broke.
        """
        with self._changed:
            something = self._changed.wait_for(
                lambda: self._ready or self._outcome is not None or self._is_left, timeout_seconds
            )
            if self._is_left:
                return None
            if self._ready:
                arrival = self._ready.popleft()
                self._changed.notify_all()
                return arrival
            if not something or self._outcome is None:
                raise LostError.silent(timeout_seconds)
            raise self._outcome

    def leave(self) -> None:
        """Take nothing more; wakes `take` in another thread. Never waits."""
        with self._changed:
            self._is_left = True
            self._ready.clear()
            if not self._is_done:
                interrupt(self._reader)
            self._changed.notify_all()

    def _run(self) -> None:
        outcome: Exception
        try:
            self._read()
        except LostError as lost:
            # Its traceback holds this object, and with it the decoder and its pictures, in a cycle.
            outcome = lost.with_traceback(None)
        except Exception as error:
            # Handed to the thread that waits: `take` raises it there.
            outcome = error
        else:
            outcome = LostError("ended", "check that it still serves", is_end=True)
        with self._changed:
            self._outcome = outcome
            self._is_done = True
            forget_this_thread()
            self._changed.notify_all()
        _running.discard(self)

    def join(self, timeout_seconds: float) -> None:
        """Wait for the reader's end, which comes soon after `leave`."""
        self._reader.join(timeout_seconds)

    def _read(self) -> None:
        with open_address(self._address, self._options) as container:
            stream = video_of(container)
            promise = Promise(container, stream)
            self.facts = facts = facts_of(container, stream, promise)
            decoder = decoder_of(stream)
            if facts.is_live:
                # Threads that each decode a frame hold back as many frames.
                decoder.thread_type = "SLICE"
            elif self._resume_after is not None and facts.has_clock:
                with suppress(av.error.FFmpegError):  # what cannot be sought is read from the beginning
                    container.seek(self._resume_after, stream=stream)
            pacer = Pacer() if facts.is_live and container.format.name in PLAYLISTS else None
            for number, picture in enumerate(self._wanted(self._decoded(container, stream, decoder, promise))):
                if not self._hand_over(Arrival(picture, number, self._due(picture, pacer))):
                    return
            if self._damaged and not facts.is_live:
                _log.warning("%s: skipped %d damaged packets", shown(self._address), self._damaged)
            missing = "" if facts.is_live or self._resume_after is not None else promise.missing()
            if missing and not self._is_left:
                raise LostError(f"broke off: {missing}", "check the file on the server", is_final=True)

    def _decoded(
        self,
        container: av.container.InputContainer,
        stream: av.video.stream.VideoStream,
        decoder: av.VideoCodecContext,
        promise: Promise,
    ) -> Iterator[av.VideoFrame]:
        packets = container.demux()
        lost: LostError | None = None
        while not self._is_left and lost is None:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.ExitError:
                lost = LostError.silent(self._options.lost_after_seconds)
            except av.error.FFmpegError as error:
                lost = LostError.while_reading(error, is_live=self.facts is None or self.facts.is_live)
            else:
                promise.saw(packet)
                if packet.stream_index == stream.index:
                    yield from self._decode(decoder, cast("av.Packet[av.video.stream.VideoStream]", packet))
        if lost is not None:
            raise lost

    def _decode(
        self, decoder: av.VideoCodecContext, packet: av.Packet[av.video.stream.VideoStream]
    ) -> list[av.VideoFrame]:
        try:
            return decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as error:
            self._damaged += 1
            _log.debug("%s: skipped a damaged packet: %s", shown(self._address), error.strerror)
            return []

    def _wanted(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Without what was had before a recording broke off, and what comes before a live stream's clock is known."""
        untimed = UNTIMED_PICTURES if self.facts and self.facts.is_live and self.facts.has_clock else 0
        for picture in pictures:
            if picture.pts is None and untimed:
                untimed -= 1
                continue
            untimed = 0
            if self._resume_after is None or picture.pts is None or picture.pts > self._resume_after:
                yield picture

    def _due(self, picture: av.VideoFrame, pacer: Pacer | None) -> int:
        """Waits where the picture comes too soon; the time at which it is there."""
        if pacer is not None and picture.time is not None:
            seconds = pacer.wait_seconds(picture.time, self._clock_ns() / 1e9)
            with self._changed:
                self._changed.wait_for(lambda: self._is_left, seconds)
        return self._clock_ns()

    def _hand_over(self, arrival: Arrival) -> bool:
        """False once the connection was left. Recorded material waits, live material lets the newest win."""
        is_live = self.facts is None or self.facts.is_live
        with self._changed:
            if is_live:
                self._ready.clear()
            else:
                self._changed.wait_for(lambda: len(self._ready) < RECORDED_CAPACITY or self._is_left)
            if self._is_left:
                return False
            self._ready.append(arrival)
            self._changed.notify_all()
            return True


_running: set[Connection] = set()


@atexit.register
def _leave_all() -> None:
    # A thread that comes back from libav while the interpreter is taken down crashes it.
    for connection in list(_running):
        connection.leave()
    for connection in list(_running):
        connection.join(AT_EXIT_SECONDS)
