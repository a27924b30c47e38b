"""`mirilla serve`: streams run side by side, and a page shows them, until Ctrl-C (called on the main thread)."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from stream.config import OverlaySettings, Settings, StreamSettings, WebSettings
from stream.errors import ConfigError
from stream.opencv_threads import opencv_on_one_thread
from stream.sources import Source, open_source
from stream.sources.repeated import RepeatedSource
from stream.sources.source import SourceOptions
from stream.stream_run import Opening, prepare_stream, stopping_on_signals
from stream.web.access import Access, is_loopback
from stream.web.added_streams import AddedStreams
from stream.web.app import make_app
from stream.web.connections import Connections
from stream.web.greeting import greeting
from stream.web.guard import Guard
from stream.web.ice import IceServers
from stream.web.invitation import Invitations
from stream.web.rate_limit import RateLimit
from stream.web.served_stream import ServedStream, address_names
from stream.web.server import WebServer
from stream.web.stream_views import StreamViews
from stream.web.tls import certificate_for
from stream.web.viewers import Viewers

NULL = "null"
"""The sink of a stream that only the page shows."""

_WAKE_EVERY_SECONDS = 0.2
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs while streams are served.

    Attributes:
        server: where it listens.
        access: the token and the links.
        invitations: makes links for others.
        viewers: of all streams.
        streams: by the name that they have in addresses.
        threads: one a stream.
    """

    server: WebServer
    access: Access
    invitations: Invitations
    viewers: Viewers
    streams: Mapping[str, ServedStream]
    threads: Sequence[threading.Thread]


def serve_streams(settings: Settings, say: Callable[[str], None], *, with_code: bool = False) -> bool:
    """Serve until Ctrl-C, SIGTERM, or the end of the last stream.

    Args:
        settings: the streams, and how they are shown.
        say: prints a line for the user.
        with_code: whether a QR code of the link is printed, too.

    Returns:
        Whether no stream broke.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    with opencv_on_one_thread(), serving(settings) as now, stopping_on_signals(lambda: None) as stopped:
        for line in greeting(now.invitations, settings.web, now.server.certificate, with_code=with_code):
            say(line)
        while not stopped.wait(_WAKE_EVERY_SECONDS) and any(thread.is_alive() for thread in now.threads):
            pass
    return all(stream.error is None for stream in now.streams.values())


@contextmanager
def serving(settings: Settings) -> Iterator[Serving]:
    """Serve until the block ends; everything has ended then.

    Recordings are played by the clock, and begin again when they end.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    with ExitStack() as opened:
        streams = _prepare(settings, opened)
        threads = [
            threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True)
            for name, stream in streams.items()
        ]
        try:
            with listening(streams, settings.web, _additions(settings, streams)) as door:
                try:
                    for thread in threads:
                        thread.start()
                    yield Serving(door.server, door.access, door.invitations, door.viewers, streams, threads)
                finally:
                    for stream in list(streams.values()):
                        stream.pipeline.stop()
        finally:
            for thread in threads:
                if thread.is_alive():
                    thread.join(_STOP_SECONDS)


class Door(NamedTuple):
    """What answers for streams, and who has come in by it."""

    server: WebServer
    access: Access
    invitations: Invitations
    viewers: Viewers


@contextmanager
def listening(
    streams: Mapping[str, ServedStream], web: WebSettings, added: AddedStreams | None = None
) -> Iterator[Door]:
    """Answer for streams that others run, until the block ends.

    Args:
        streams: by the name that they have in addresses.
        web: how they are shown.
        added: adds streams to them; None where nobody may.

    Raises:
        ConfigError: the address cannot be taken, or a certificate is no use.
    """
    access, rate_limit = Access(token_for(web)), RateLimit()
    viewers = Viewers(web.max_viewers, Connections(IceServers(web.ice_servers), web.interfaces))
    server = WebServer(web.host, web.port, certificate_for(web.tls, web.host))
    invitations = Invitations(access, server.host, server.port, is_secure=server.certificate is not None)
    app = make_app(streams, viewers, access, invitations=invitations, rate_limit=rate_limit, added=added)
    try:
        server.start(Guard(app, access, web.host, rate_limit))
        yield Door(server, access, invitations, viewers)
    finally:
        server.stop()


def open_repeated(spec: str, options: SourceOptions) -> Source:
    """Open a source; a recording begins again when it has ended."""
    source = open_source(spec, options)
    return source if source.info.is_live else RepeatedSource(source, lambda: open_source(spec, options))


def _prepare(settings: Settings, opened: ExitStack) -> dict[str, ServedStream]:
    """Every stream by the name that it has in addresses, with its source open."""
    by_the_clock = {name: stream.model_copy(update={"realtime": True}) for name, stream in settings.streams.items()}
    settings = settings.model_copy(update={"streams": by_the_clock})
    names = address_names(settings.streams)
    return {name: _made(settings, title, name, open_repeated, opened) for title, name in names.items()}


def _made(settings: Settings, title: str, name: str, opening: Opening, opened: ExitStack) -> ServedStream:
    """One stream, with its source open."""
    views = StreamViews(settings.web.bitrate_kbps, settings.streams[title].overlay)
    pipeline = prepare_stream(settings, title, [views.sink], opened, opening=opening)
    return ServedStream(name, title, views, pipeline)


def _additions(settings: Settings, streams: dict[str, ServedStream]) -> AddedStreams | None:
    """What adds streams to those of the configuration; None where nobody may.

    Raises:
        ConfigError: there is no stream that added ones could be like, or libav would not be held to the rules.
    """
    allowed = settings.web.allow_sources
    if allowed is None:
        return None
    if allowed.like is not None and allowed.like not in settings.streams:
        known = ", ".join(settings.streams)
        raise ConfigError(f"web.allow_sources.like: no stream is called {allowed.like!r}; there are {known}")
    if "no_proxy" in os.environ:
        raise ConfigError("web.allow_sources: libav goes round all rules with no_proxy in the environment; unset it")
    bare = StreamSettings(source="", sinks=(NULL,), overlay=OverlaySettings(hud=False))
    like = bare if allowed.like is None else settings.streams[allowed.like]

    def make(title: str, name: str, address: str, opening: Opening, opened: ExitStack) -> ServedStream:
        stream = like.model_copy(update={"source": address, "sinks": (NULL,), "realtime": True})
        made = _made(settings.model_copy(update={"streams": {title: stream}}), title, name, opening, opened)
        made.is_added = True
        return made

    return AddedStreams(allowed, streams, make)


def token_for(web: WebSettings) -> str | None:
    """What viewers have to show: the token that was given, a new one beyond this machine, or nothing."""
    if web.token is not None or is_loopback(web.host):
        return web.token
    return secrets.token_urlsafe(24)
