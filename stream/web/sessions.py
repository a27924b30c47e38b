"""Everybody who is connected for one purpose: how many may, who has gone, and the end (loop's thread)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from stream.web.peer import Peer

P = TypeVar("P", bound=Peer)

CHECK_EVERY_SECONDS = 2.0
SILENT_CHECKS = 5
"""Who has not been heard of for so many checks has gone; a browser reports once a second."""

_log = logging.getLogger("mirilla")


class TooManyError(Exception):
    """Nobody more may come now."""


class Admitted(NamedTuple):
    """Somebody who has come.

    Attributes:
        session: its name in addresses.
        answer: in SDP.
        entity_tag: of its ICE session.
    """

    session: str
    answer: str
    entity_tag: str


class Sessions(Generic[P]):
    """Peers of one kind, of all streams, by the name of their session."""

    def __init__(self, most: int) -> None:
        """Nobody is there.

        Args:
            most: how many may be there at a time.
        """
        self._most = most
        self._peers: dict[str, tuple[str, P]] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many there are, connected or not yet."""
        return len(self._peers)

    def __iter__(self) -> Iterator[P]:
        """They themselves, as they are now."""
        return iter([peer for _, peer in self._peers.values()])

    def check_room(self) -> None:
        """Raise TooManyError where as many are here as may be."""
        if len(self._peers) >= self._most:
            raise TooManyError

    async def admit(self, stream: str, make: Callable[[Callable[[], None]], P]) -> Admitted:
        """Let somebody in.

        Args:
            stream: the session's, as it stands in addresses.
            make: makes the peer; is given what to call when it has gone.

        Raises:
            TooManyError: as many as may are here.
            OfferError: the offer cannot be answered.
        """
        self.check_room()
        session = secrets.token_urlsafe(16)
        peer = make(lambda: self._gone(session))
        self._peers[session] = (stream, peer)
        try:
            return Admitted(session, await peer.answer(), peer.entity_tag)
        except BaseException:
            self._gone(session)
            raise

    def find(self, stream: str, session: str) -> P | None:
        """The peer of a session; None where the stream has none of this name."""
        of, peer = self._peers.get(session, ("", None))
        return peer if of == stream else None

    async def end(self, stream: str, session: str) -> bool:
        """End a session; False where the stream has none of this name."""
        if self.find(stream, session) is None:
            return False
        await self._remove(session)
        return True

    async def end_stream(self, stream: str) -> None:
        """End all sessions of a stream."""
        sessions = [session for session, (of, _) in self._peers.items() if of == stream]
        await asyncio.gather(*(self._remove(session) for session in sessions))

    async def watch(self, each_check: Callable[[], None] = lambda: None) -> None:
        """End the sessions of those who have gone without a word, until cancelled.

        Args:
            each_check: called after every check.
        """
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            await self._check()
            each_check()

    async def end_all(self) -> None:
        """Say goodbye to everybody."""
        await asyncio.gather(*(self._remove(session) for session in list(self._peers)))
        await asyncio.gather(*self._endings)

    async def _check(self) -> None:
        for session, (_, peer) in list(self._peers.items()):
            if await peer.silent_checks() >= SILENT_CHECKS:
                _log.debug("a peer fell silent")
                self._gone(session)

    def _gone(self, session: str) -> None:
        if session in self._peers:
            ending = asyncio.get_running_loop().create_task(self._remove(session))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def _remove(self, session: str) -> None:
        _, peer = self._peers.pop(session, ("", None))
        if peer is not None:
            with contextlib.suppress(Exception):
                # Nobody is left whom an error of the goodbye could matter to.
                await peer.close()
