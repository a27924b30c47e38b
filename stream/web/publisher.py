"""Somebody who sends a stream by WHIP, and the one seat of that stream (loop's thread)."""

from __future__ import annotations

import time
from collections.abc import Callable

import av

from stream.sources.pushed import PushedSource
from stream.web.connections import Connections
from stream.web.intake import Intake
from stream.web.offer import Offer
from stream.web.peer import Peer

STALE_SECONDS = 5.0
"""Who has given no picture for so long may be replaced."""


class SeatTakenError(Exception):
    """Somebody else sends this stream at the moment."""


class Seat:
    """Who may put pictures into a stream: one at a time.

    A second publisher is refused while the first one's pictures come. Once there was none for five seconds, as after an
    encoder crashed that is started again, the next takes the seat.
    """

    def __init__(self, source: PushedSource, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Nobody sits here.

        Args:
            source: takes the pictures.
            clock_ns: a monotonic clock.
        """
        self._source = source
        self._clock_ns = clock_ns
        self._holder: Publisher | None = None
        self._heard_ns = 0

    @property
    def is_heard(self) -> bool:
        """Whether somebody sends."""
        status = self._source.status
        return status.is_connected

    def check(self) -> None:
        """Raise SeatTakenError where the seat is taken and its holder sends."""
        if self._holder is not None and self._clock_ns() - self._heard_ns < STALE_SECONDS * 1e9:
            raise SeatTakenError

    def take(self, publisher: Publisher) -> Publisher | None:
        """Sit down; returns whom that throws out."""
        before, self._holder = self._holder, publisher
        self._heard_ns = self._clock_ns()
        if before is not None:
            self._source.sender_left()
        return before

    def put(self, publisher: Publisher, picture: av.VideoFrame) -> None:
        """Take a picture of the holder, and of nobody else."""
        if publisher is self._holder:
            self._heard_ns = self._clock_ns()
            self._source.put(picture)

    def leave(self, publisher: Publisher) -> None:
        """Let the next one sit down at once."""
        if publisher is self._holder:
            self._holder = None
            self._source.sender_left()


class Publisher(Peer):
    """A connection from an encoder, or from a browser that sends its camera."""

    def __init__(self, seat: Seat, offer: Offer, on_gone: Callable[[], None], connections: Connections) -> None:
        """Take the seat; nothing is opened yet.

        Args:
            seat: of the stream.
            offer: the other side's.
            on_gone: called when the connection has failed or was ended by the other side.
            connections: makes the connection.
        """
        super().__init__(offer, on_gone, connections)
        self._seat = seat
        self._keep_codec(self._connection.addTransceiver("video", direction="recvonly"))
        self._intake = Intake(self._connection, lambda picture: seat.put(self, picture))
        replaced = seat.take(self)
        if replaced is not None:
            replaced.thrown_out()

    def thrown_out(self) -> None:
        """Go: somebody else has the seat."""
        self._on_gone()

    async def close(self) -> None:
        """Leave the seat and free everything."""
        self._seat.leave(self)
        await self._intake.end()
        await super().close()
