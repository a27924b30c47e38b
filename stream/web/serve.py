"""`mirilla serve`: streams run side by side, and a page shows them, until Ctrl-C (called on the main thread)."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from models.chain import LoadedModel
from stream.config import Settings, WebSettings
from stream.opencv_threads import opencv_on_one_thread
from stream.sources import Source, open_source
from stream.sources.pushed import WORD, PushedSource
from stream.sources.repeated import RepeatedSource
from stream.sources.source import SourceOptions
from stream.stream_run import prepare_stream, stopping_on_signals
from stream.web.access import Access, is_loopback
from stream.web.app import make_app
from stream.web.guard import Guard
from stream.web.hub import Hub, make_hub
from stream.web.publisher import Seat
from stream.web.served_stream import ServedStream, address_names
from stream.web.server import WebServer
from stream.web.stream_views import StreamViews
from stream.web.studio import Studio

_log = logging.getLogger("mirilla")

_WAKE_EVERY_SECONDS = 0.2
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs while streams are served.

    Attributes:
        server: where it listens.
        access: the token and the link.
        hub: the streams, and who is connected.
        threads: one a stream.
    """

    server: WebServer
    access: Access
    hub: Hub
    threads: Sequence[threading.Thread]


def serve_streams(settings: Settings, say: Callable[[str], None]) -> bool:
    """Serve until Ctrl-C, SIGTERM, or the end of the last stream.

    Args:
        settings: the streams, and how they are shown.
        say: prints a line for the user.

    Returns:
        Whether no stream broke.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    with opencv_on_one_thread(), serving(settings) as now, stopping_on_signals(lambda: None) as stopped:
        for line in greeting(now.server, now.access, settings.web):
            say(line)
        while not stopped.wait(_WAKE_EVERY_SECONDS) and any(thread.is_alive() for thread in now.threads):
            pass
    return all(stream.error is None for stream in now.hub.streams.values())


@contextmanager
def serving(settings: Settings) -> Iterator[Serving]:
    """Serve until the block ends; everything has ended then.

    Recordings are played by the clock, and begin again when they end.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    with ExitStack() as opened:
        streams, studio = _prepare(settings, opened)
        threads = [
            threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True)
            for name, stream in streams.items()
        ]
        try:
            with listening(streams, settings.web, studio) as (server, access, hub):
                try:
                    for thread in threads:
                        thread.start()
                    yield Serving(server, access, hub, threads)
                finally:
                    for stream in streams.values():
                        stream.pipeline.stop()
        finally:
            for thread in (*threads, *studio.threads):
                if thread.is_alive():
                    thread.join(_STOP_SECONDS)


@contextmanager
def listening(
    streams: Mapping[str, ServedStream], web: WebSettings, studio: Studio | None = None
) -> Iterator[tuple[WebServer, Access, Hub]]:
    """Answer for streams that others run, until the block ends.

    Args:
        streams: by the name that they have in addresses.
        web: how they are shown.
        studio: makes streams of visitors' cameras; None where none may come.

    Raises:
        ConfigError: the address cannot be taken.
    """
    if not _log.isEnabledFor(logging.DEBUG):
        # What other people's senders get wrong is said a hundred times a second.
        logging.getLogger("aiortc").setLevel(logging.ERROR)
    access, hub = Access(token_for(web)), make_hub(streams, web, studio)
    server = WebServer(web.host, web.port)
    try:
        server.start(Guard(make_app(hub, access), access, web.host))
        yield server, access, hub
    finally:
        server.stop()


def open_repeated(spec: str, options: SourceOptions) -> Source:
    """Open a source; a recording begins again when it has ended."""
    source = open_source(spec, options)
    return source if source.info.is_live else RepeatedSource(source, lambda: open_source(spec, options))


def _prepare(settings: Settings, opened: ExitStack) -> tuple[dict[str, ServedStream], Studio]:
    """Every stream with its source open, and all models loaded, once for all streams."""
    web = settings.web
    by_the_clock = {name: stream.model_copy(update={"realtime": True}) for name, stream in settings.streams.items()}
    settings = settings.model_copy(update={"streams": by_the_clock})
    names = address_names(settings.streams)
    models: dict[str, LoadedModel] = {}
    streams: dict[str, ServedStream] = {}
    for title, name in names.items():
        views = StreamViews(web.bitrate_kbps, settings.streams[title].overlay)
        pushed = PushedSource(title, "a publisher") if settings.streams[title].source == WORD else None
        opening = open_repeated if pushed is None else _already(pushed)
        pipeline = prepare_stream(settings, title, [views.sink], opened, opening=opening, models=models)
        seat = None if pushed is None else Seat(pushed)
        takes_cameras = web.max_cameras > 0
        streams[name] = ServedStream(name, title, views, pipeline, seat=seat, takes_cameras=takes_cameras)
    if len(streams) + web.max_cameras > 1:
        for model in models.values():
            model.share(len(streams) + web.max_cameras)
    return streams, Studio(settings, {name: title for title, name in names.items()}, models)


def _already(source: Source) -> Callable[[str, SourceOptions], Source]:
    """Opens a source that is open."""
    return lambda *_: source


def token_for(web: WebSettings) -> str | None:
    """What viewers have to show: the token that was given, a new one beyond this machine, or nothing."""
    if web.token is not None or is_loopback(web.host):
        return web.token
    return secrets.token_urlsafe(24)


def greeting(server: WebServer, access: Access, web: WebSettings) -> Iterator[str]:
    """What to tell the user: how to open the page."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    address = f"http://{host}:{server.port}/"
    if access.link_code is None:
        yield f"open {address} (Ctrl-C ends)"
        return
    yield f"open {address}enter?code={access.link_code} (works once; Ctrl-C ends)"
    if web.token is None:
        yield "other viewers need the token of this run: set web.token in the configuration to choose it"
    if not is_loopback(web.host):
        yield "the connection to the page is not encrypted: use it in a network that you trust, or behind a TLS proxy"
