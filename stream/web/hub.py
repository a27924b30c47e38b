"""What a server has: its streams, and everybody who is connected (loop's thread)."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass

from stream.config import WebSettings
from stream.web.connections import Connections
from stream.web.ice import IceServers
from stream.web.offer import Offer
from stream.web.publisher import Publisher
from stream.web.served_stream import ServedStream
from stream.web.sessions import Admitted, Sessions
from stream.web.studio import Studio
from stream.web.viewer import Viewer
from stream.web.visitor import Visitor


class PlainPictureError(Exception):
    """Nobody may see this stream's picture as it was captured."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Lets people in.

    Attributes:
        streams: by the name that they have in addresses.
        studio: makes streams of visitors' cameras; None where none may come.
        viewers, publishers, visitors: who is here.
        connections: makes all connections.
    """

    streams: MutableMapping[str, ServedStream]
    studio: Studio | None
    viewers: Sessions[Viewer]
    publishers: Sessions[Publisher]
    visitors: Sessions[Visitor]
    connections: Connections

    def has_stream(self, name: str) -> bool:
        """Whether there is a stream of this name."""
        return name in self.streams

    def takes(self, name: str) -> bool:
        """Whether there is a stream of this name that is sent here."""
        return name in self.streams and self.streams[name].seat is not None

    def takes_cameras(self, name: str) -> bool:
        """Whether visitors may send cameras to the models of a stream of this name."""
        return name in self.streams and self.streams[name].takes_cameras

    async def watch(self, name: str, offer: Offer, *, is_plain: bool = False) -> Admitted:
        """Let somebody watch a stream, annotated or as it was captured.

        Raises:
            PlainPictureError: nobody may see the plain picture.
            TooManyError, OfferError: as `Sessions.admit`.
        """
        views = self.streams[name].views
        broadcast = views.plain if is_plain else views.drawn
        if broadcast is None:
            raise PlainPictureError
        return await self.viewers.admit(name, lambda gone: Viewer(broadcast, offer, gone, self.connections))

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
        return await self.publishers.admit(name, lambda gone: Publisher(seat, offer, gone, self.connections))

    async def visit(self, name: str, offer: Offer) -> Admitted:
        """Let somebody send a camera and watch it with the models of a stream.

        Raises:
            TooManyError, OfferError: as `Sessions.admit`.
            MirillaError: the visitor's stream cannot run.
        """
        if self.studio is None:
            raise ValueError("no cameras are taken")
        self.visitors.check_room()
        visit = await asyncio.to_thread(self.studio.visit, name)
        try:
            return await self.visitors.admit(name, lambda gone: Visitor(visit, offer, gone, self.connections))
        except BaseException:
            visit.end()
            raise

    async def end_stream(self, name: str) -> None:
        """Let go of everybody who is here for a stream."""
        await asyncio.gather(*(one.end_stream(name) for one in (self.viewers, self.publishers, self.visitors)))

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
            stream.views.tell_all(f'{{"type": "figures", "figures": {figures}}}')
            stream.views.adapt()
        for viewer in (*self.viewers, *visits):
            viewer.tell_sent()
        for visitor in visits:
            visitor.go_if_broken()


def make_hub(streams: MutableMapping[str, ServedStream], web: WebSettings, studio: Studio | None) -> Hub:
    """A hub where nobody is yet."""
    return Hub(
        streams,
        studio,
        Sessions(web.max_viewers),
        # One who is thrown out is still there when the next one comes.
        Sessions(2 * len(streams)),
        Sessions(web.max_cameras),
        Connections(IceServers(web.ice_servers), web.interfaces),
    )
