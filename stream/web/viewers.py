"""Everybody who watches at this moment: how many may, who has gone, and the end (loop's thread)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator

from stream.web.broadcast import Broadcast
from stream.web.connections import Connections
from stream.web.offer import Offer
from stream.web.viewer import Viewer

CHECK_EVERY_SECONDS = 2.0
SILENT_CHECKS = 5
"""Who has not been heard of for so many checks has gone; a browser reports once a second."""

_log = logging.getLogger("mirilla")


class TooManyViewersError(Exception):
    """Nobody more may watch now."""


class Viewers:
    """The viewers of all streams, by the name of their session."""

    def __init__(self, most: int, connections: Connections | None = None) -> None:
        """Nobody watches.

        Args:
            most: how many may watch at a time.
            connections: makes the connections.
        """
        self._most = most
        self.connections = connections or Connections()
        self._viewers: dict[str, tuple[str, Viewer]] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many there are, connected or not yet."""
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer]:
        """They themselves, as they are now."""
        return iter([viewer for _, viewer in self._viewers.values()])

    async def admit(self, stream: str, broadcast: Broadcast, offer: Offer) -> tuple[str, str]:
        """Let somebody watch.

        Returns:
            The session's name, and the SDP answer.

        Raises:
            TooManyViewersError: as many as may are here.
            OfferError: the offer cannot be answered.
        """
        if len(self._viewers) >= self._most:
            raise TooManyViewersError
        session = secrets.token_urlsafe(16)
        viewer = Viewer(broadcast, offer, lambda _: self._gone(session), self.connections)
        self._viewers[session] = (stream, viewer)
        try:
            return session, await viewer.answer()
        except BaseException:
            self._gone(session)
            raise

    async def end(self, stream: str, session: str) -> bool:
        """End a session; False where the stream has none of this name."""
        if self._viewers.get(session, ("", None))[0] != stream:
            return False
        await self._remove(session)
        return True

    async def end_stream(self, stream: str) -> None:
        """End all sessions of a stream."""
        sessions = [session for session, (of, _) in self._viewers.items() if of == stream]
        await asyncio.gather(*(self._remove(session) for session in sessions))

    async def watch(self, each_check: Callable[[], None]) -> None:
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
        await asyncio.gather(*(self._remove(session) for session in list(self._viewers)))
        await asyncio.gather(*self._endings)

    async def _check(self) -> None:
        for session, (_, viewer) in list(self._viewers.items()):
            if await viewer.silent_checks() >= SILENT_CHECKS:
                _log.debug("a viewer fell silent")
                self._gone(session)

    def _gone(self, session: str) -> None:
        if session in self._viewers:
            ending = asyncio.get_running_loop().create_task(self._remove(session))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def _remove(self, session: str) -> None:
        _, viewer = self._viewers.pop(session, ("", None))
        if viewer is not None:
            with contextlib.suppress(Exception):
                # Nobody is left whom an error of the goodbye could matter to.
                await viewer.close()
