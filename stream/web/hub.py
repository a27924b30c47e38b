"""What a server has: its streams, and everybody who is connected (loop's thread)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiortc import RTCIceServer

from stream.web.offer import Offer
from stream.web.publisher import Publisher
from stream.web.served_stream import ServedStream
from stream.web.sessions import Admitted, Sessions
from stream.web.studio import Studio
from stream.web.viewer import Viewer
from stream.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Hub:
    """Lets people in.

    Attributes:
        streams: by the name that they have in addresses.
        studio: makes streams of visitors' cameras.
        viewers, publishers, visitors: who is here.
        ice_servers: what connections may ask for addresses, and the other side is told of; asked for each connection,
            because credentials may be limited in time.
    """

    streams: Mapping[str, ServedStream]
    studio: Studio
    viewers: Sessions[Viewer]
    publishers: Sessions[Publisher]
    visitors: Sessions[Visitor]
    ice_servers: Callable[[], Sequence[RTCIceServer]] = tuple

    def has_stream(self, name: str) -> bool:
        """Whether there is a stream of this name."""
        return name in self.streams

    def takes(self, name: str) -> bool:
        """Whether there is a stream of this name that is sent here."""
        return name in self.streams and self.streams[name].seat is not None

    async def watch(self, name: str, offer: Offer) -> Admitted:
        """Let somebody watch a stream.

        Raises:
            TooManyError, OfferError: as `Sessions.admit`.
        """
        broadcast = self.streams[name].broadcast
        return await self.viewers.admit(name, lambda gone: Viewer(broadcast, offer, gone, self.ice_servers()))

    async def publish(self, name: str, offer: Offer) -> Admitted:
        """Let somebody send a stream.

        Raises:
            SeatTakenError: somebody else sends it.
            TooManyError, OfferError: as `Sessions.admit`.
        """
        seat = self.streams[name].seat
        if seat is None:
            raise ValueError(f"{name} is not sent here")
        seat.check()
        return await self.publishers.admit(name, lambda gone: Publisher(seat, offer, gone, self.ice_servers()))

    async def visit(self, name: str, offer: Offer) -> Admitted:
        """Let somebody send a camera and watch it with the models of a stream.

        Raises:
            TooManyError, OfferError: as `Sessions.admit`.
            MirillaError: the visitor's stream cannot run.
        """
        self.visitors.check_room()
        visit = await asyncio.to_thread(self.studio.visit, name)
        try:
            return await self.visitors.admit(name, lambda gone: Visitor(visit, offer, gone, self.ice_servers()))
        except BaseException:
            visit.end()
            raise

    async def attend(self) -> None:
        """Follow everybody until cancelled, then say goodbye."""
        try:
            await asyncio.gather(self.viewers.watch(self._look_after), self.publishers.watch(), self.visitors.watch())
        finally:
            await asyncio.gather(*(one.end_all() for one in (self.viewers, self.publishers, self.visitors)))

    def _look_after(self) -> None:
        """Tell everybody the figures of what they watch, and set what encoders take."""
        visits = list(self.visitors)
        for stream in (*self.streams.values(), *(visitor.visit.stream for visitor in visits)):
            figures = stream.figures().model_dump_json()
            stream.broadcast.tell_all(f'{{"type": "figures", "figures": {figures}}}')
            stream.broadcast.adapt()
        for viewer in (*self.viewers, *visits):
            viewer.tell_sent()
        for visitor in visits:
            visitor.go_if_broken()
