"""The only way on which added streams reach the network: every connection is checked where it is made (loop's thread).

libav looks names up by itself, follows redirections, and fetches what playlists name. So it gets no connection of its
own: over HTTP and HTTPS it is given a proxy on this machine's loopback address, over RTSP a relay there. Whatever it
asks for passes here, each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from stream.web.rtsp_filter import RtspFilter
from stream.web.source_rules import RefusedError, SourceRules

MOST_CONNECTIONS = 64
CONNECT_SECONDS = 5.0
LARGEST_HEAD = 32 * 1024
_PIECE = 64 * 1024
_REQUEST = re.compile(rb"(CONNECT|GET|HEAD) ([!-~]+) HTTP/1\.[01]")
_OF_THIS_HOP = (b"connection", b"proxy-", b"keep-alive")
_RTSP_PORTS = {"rtsp": 554, "rtsps": 322}

_log = logging.getLogger("mirilla")

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[Line], Awaitable[None]]


class Gateway:
    """A proxy for HTTP, and a relay for each RTSP address; used in `async with`."""

    def __init__(self, rules: SourceRules) -> None:
        """Nothing is listened on yet.

        Args:
            rules: whom it connects to.
        """
        self._rules = rules
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.proxy = ""
        """Where the proxy listens, as libav takes it."""

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await self._listen(self._forward)
        self.proxy = f"http://127.0.0.1:{_port_of(self._server)}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def way_to(self, address: str) -> AsyncIterator[str]:
        """An address that leads to what another one means: for RTSP to a relay, for HTTP the same, through the proxy.

        A relay takes no more connections when the block ends.

        Raises:
            RefusedError: it may not be reached.
        """
        self._rules.check(address)
        parts = urlsplit(address)
        scheme = parts.scheme.lower()
        try:
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise RefusedError("this address has no port that can be") from error
        await self._rules.resolved(host, port or 0)
        if scheme not in _RTSP_PORTS:
            yield address
            return
        relay = partial(self._relay, host, port or _RTSP_PORTS[scheme], is_encrypted=scheme == "rtsps")
        server = await self._listen(relay)
        user, at, _ = parts.netloc.rpartition("@")
        try:
            yield parts._replace(scheme="rtsp", netloc=f"{user}{at}127.0.0.1:{_port_of(server)}").geturl()
        finally:
            server.close()

    async def _listen(self, serve: Serve) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._tasks) >= MOST_CONNECTIONS:
                writer.close()
                return
            task = asyncio.ensure_future(self._serve(serve, (reader, writer)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await asyncio.start_server(accept, "127.0.0.1", 0, limit=LARGEST_HEAD)

    async def _serve(self, serve: Serve, line: Line) -> None:
        try:
            await serve(line)
        except RefusedError as error:
            _log.warning("an added stream: %s", error)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            _log.debug("an added stream's connection broke", exc_info=error)
        finally:
            line[1].close()

    async def _connect(self, host: str, port: int, context: ssl.SSLContext | None = None) -> Line:
        ip = await self._rules.resolved(host, port)
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(ip, port, ssl=context, server_hostname=host if context else None)

    async def _forward(self, line: Line) -> None:
        """One request to the proxy."""
        reader, writer = line
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CONNECT_SECONDS)
        first, *headers = head[:-4].split(b"\r\n")
        request = _REQUEST.fullmatch(first)
        if request is None:
            raise RefusedError("a request of libav's cannot be read")
        method, target = request[1], request[2].decode()
        try:
            parts = urlsplit(f"//{target}" if method == b"CONNECT" else target)
            host, port = parts.hostname or "", parts.port or 80
            there = await self._connect(host, port)
        except (RefusedError, ValueError, OSError, TimeoutError):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            raise
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _both_ways(line, there)
            return
        kept = [header for header in headers if not header.lower().startswith(_OF_THIS_HOP)]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # One request a connection: the next one may be for another host.
        lines = [b"%b %b HTTP/1.1" % (method, path.encode()), *kept, b"Connection: close", b"", b""]
        there[1].write(b"\r\n".join(lines))
        try:
            await _pump(there[0], writer)
        finally:
            there[1].close()

    async def _relay(self, host: str, port: int, line: Line, *, is_encrypted: bool) -> None:
        """One RTSP connection."""
        context = None
        if is_encrypted:
            # As libav does where it is not told otherwise: cameras sign their certificates themselves.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        await _both_ways(line, await self._connect(host, port, context), RtspFilter().feed)


def _port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _both_ways(here: Line, there: Line, read_along: Callable[[bytes], bytes] | None = None) -> None:
    """Pass everything on until either side ends."""
    pumps = [
        asyncio.ensure_future(_pump(here[0], there[1])),
        asyncio.ensure_future(_pump(there[0], here[1], read_along)),
    ]
    try:
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in done:
            pump.result()
    finally:
        for pump in pumps:
            pump.cancel()
        there[1].close()
        with contextlib.suppress(Exception):
            await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, read_along: Callable[[bytes], bytes] | None = None
) -> None:
    while data := await reader.read(_PIECE):
        writer.write(data if read_along is None else read_along(data))
        await writer.drain()
