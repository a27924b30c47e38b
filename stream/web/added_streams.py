"""Streams that viewers add by an address while the server runs, and take away again (loop's thread).

A source is opened, and a pipeline ended, on threads of their own; the loop never waits for either.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, MutableMapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from models.errors import MirillaError
from stream.sources import Source, open_source
from stream.sources.address import redacted
from stream.sources.source import SourceOptions
from stream.stream_run import Opening
from stream.web.gateway import Gateway
from stream.web.served_stream import ServedStream, address_names
from stream.web.source_rules import SourceRules
from stream.web_settings import AllowedSources

CONNECT_SECONDS = 5.0
"""How long a new source may take until its first picture."""

_JOIN_SECONDS = 1.0

MakeStream = Callable[[str, str, str, Opening, ExitStack], ServedStream]
"""Makes a stream that is ready to run of title, name, address, what opens its source, and what closes it."""


class CannotAddError(Exception):
    """A stream cannot be added.

    Attributes:
        status: the HTTP status that says so.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class AddedStreams:
    """Adds to the streams of a server, and takes away what was added; used in `async with`."""

    def __init__(self, allowed: AllowedSources, streams: MutableMapping[str, ServedStream], make: MakeStream) -> None:
        """Nothing was added.

        Args:
            allowed: what may be.
            streams: of the server, by the name that they have in addresses.
            make: makes streams; called on a thread of its own.
        """
        self._most = allowed.most
        self._streams = streams
        self._make = make
        self._gateway = Gateway(SourceRules(allowed))
        self._open = AsyncExitStack()
        self._added: dict[str, tuple[threading.Thread, AsyncExitStack]] = {}
        self._taken: set[str] = set()
        """Names of those that are about to be added."""

    def __contains__(self, name: str) -> bool:
        """Whether a stream was added here."""
        return name in self._added

    async def __aenter__(self) -> Self:
        """Be ready."""
        await self._open.enter_async_context(self._gateway)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Take all away."""
        await self._open.aclose()
        await asyncio.gather(*(self.remove(name) for name in list(self._added)))

    async def add(self, title: str, address: str) -> ServedStream:
        """Add a stream, and let it run.

        Raises:
            CannotAddError: the name is taken, as many as may be are there, or the source gives no picture.
            RefusedError: the address may not be reached.
        """
        (name,) = address_names([title]).values()
        if name in self._streams or name in self._taken:
            raise CannotAddError(409, f"there is a stream called {name} already; choose another name")
        if len(self._added) + len(self._taken) >= self._most:
            raise CannotAddError(409, f"as many streams as may be ({self._most}) were added; take one away first")
        self._taken.add(name)
        try:
            async with AsyncExitStack() as opened:
                way = await opened.enter_async_context(self._gateway.way_to(address))
                source = opened.enter_context(ExitStack())
                try:
                    stream = await asyncio.to_thread(self._make, title, name, way, self._opening(), source)
                except MirillaError as error:
                    raise CannotAddError(400, _as_given(str(error), way, address)) from error
                thread = threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True)
                self._added[name] = (thread, opened.pop_all())
        finally:
            self._taken.discard(name)
        self._streams[name] = stream
        thread.start()
        return stream

    async def remove(self, name: str) -> bool:
        """Take a stream away; False where none of this name was added."""
        if name not in self._added:
            return False
        thread, opened = self._added.pop(name)
        stream = self._streams.pop(name)

        stream.pipeline.stop()
        await opened.aclose()
        await asyncio.to_thread(thread.join, _JOIN_SECONDS)
        return True

    def _opening(self) -> Opening:
        proxy = self._gateway.proxy

        def opening(spec: str, options: SourceOptions) -> Source:
            # Over UDP a camera could name any other address to talk to.
            seconds = min(options.connect_seconds, CONNECT_SECONDS)
            limited = replace(options, http_proxy=proxy, rtsp_transport="tcp", connect_seconds=seconds)
            return open_source(spec, limited)

        return opening


def _as_given(message: str, way: str, address: str) -> str:
    """A message about the way that was taken, as one about the address that was given; without credentials."""
    here, there = (urlsplit(text).netloc.rpartition("@")[2] for text in (way, address))
    return redacted(message.replace(here, there))
