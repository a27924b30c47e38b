"""`mirilla serve`: streams run side by side, and a page shows them, until Ctrl-C (called on the main thread)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from stream.config import Settings, WebSettings
from stream.config_file import ConfigFile
from stream.live_changes import LiveChanges
from stream.model_shelf import ModelShelf
from stream.opencv_threads import opencv_on_one_thread
from stream.running_stream import RunningStream
from stream.signals import stopping_on_signals
from stream.sources import Source, open_source
from stream.sources.repeated import RepeatedSource
from stream.sources.source import SourceOptions
from stream.stream_run import prepare_stream
from stream.web.access import Access, is_loopback
from stream.web.app import make_app
from stream.web.guard import Guard
from stream.web.served_stream import ServedStream, address_names
from stream.web.server import WebServer
from stream.web.stream_views import StreamViews
from stream.web.viewers import Viewers

_WAKE_EVERY_SECONDS = 0.2
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs while streams are served.

    Attributes:
        server: where it listens.
        access: the token and the link.
        viewers: of all streams.
        streams: by the name that they have in addresses.
        threads: one a stream.
        changes: of the streams, while they run.
    """

    server: WebServer
    access: Access
    viewers: Viewers
    streams: Mapping[str, ServedStream]
    threads: Sequence[threading.Thread]
    changes: LiveChanges


def serve_streams(settings: Settings, say: Callable[[str], None], config: ConfigFile | None = None) -> bool:
    """Serve until Ctrl-C, SIGTERM, or the end of the last stream.

    Args:
        settings: the streams, and how they are shown.
        say: prints a line for the user.
        config: where the settings come from; when it changes, so do the streams.

    Returns:
        Whether no stream broke.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    with (
        opencv_on_one_thread(),
        serving(settings, config) as now,
        stopping_on_signals(lambda: None, now.changes.reload if config else None) as stopped,
    ):
        for line in greeting(now.server, now.access, settings.web):
            say(line)
        while not stopped.wait(_WAKE_EVERY_SECONDS) and any(thread.is_alive() for thread in now.threads):
            pass
    return all(stream.error is None for stream in now.streams.values())


@contextmanager
def serving(settings: Settings, config: ConfigFile | None = None) -> Iterator[Serving]:
    """Serve until the block ends; everything has ended then.

    Recordings are played by the clock, and begin again when they end.

    Raises:
        MirillaError: something is wrong with the input; nothing was served.
    """
    settings = _by_the_clock(settings)
    if config is not None:
        read = config.read
        config = replace(config, read=lambda: _by_the_clock(read()))
    with ExitStack() as opened:
        shelf = ModelShelf()
        running = _prepare(settings, shelf, opened)
        streams = {name: stream for name, (stream, _) in running.items()}
        by_title = {stream.name: stream for _, stream in running.values()}
        changes = opened.enter_context(LiveChanges(settings, by_title, shelf, config))
        threads = [
            threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True)
            for name, stream in streams.items()
        ]
        try:
            with listening(streams, settings.web) as (server, access, viewers):
                try:
                    for thread in threads:
                        thread.start()
                    yield Serving(server, access, viewers, streams, threads, changes)
                finally:
                    for stream in streams.values():
                        stream.pipeline.stop()
        finally:
            for thread in threads:
                if thread.is_alive():
                    thread.join(_STOP_SECONDS)


@contextmanager
def listening(streams: Mapping[str, ServedStream], web: WebSettings) -> Iterator[tuple[WebServer, Access, Viewers]]:
    """Answer for streams that others run, until the block ends.

    Args:
        streams: by the name that they have in addresses.
        web: how they are shown.

    Raises:
        ConfigError: the address cannot be taken.
    """
    access, viewers = Access(token_for(web)), Viewers(web.max_viewers)
    server = WebServer(web.host, web.port)
    try:
        server.start(Guard(make_app(streams, viewers, access), access, web.host))
        yield server, access, viewers
    finally:
        server.stop()


def open_repeated(spec: str, options: SourceOptions) -> Source:
    """Open a source; a recording begins again when it has ended."""
    source = open_source(spec, options)
    return source if source.info.is_live else RepeatedSource(source, lambda: open_source(spec, options))


def _by_the_clock(settings: Settings) -> Settings:
    streams = {name: stream.model_copy(update={"realtime": True}) for name, stream in settings.streams.items()}
    return settings.model_copy(update={"streams": streams})


def _prepare(
    settings: Settings, models: ModelShelf, opened: ExitStack
) -> dict[str, tuple[ServedStream, RunningStream]]:
    """Every stream by the name that it has in addresses, with its source open; what runs it stands beside it."""
    streams: dict[str, tuple[ServedStream, RunningStream]] = {}
    for title, name in address_names(settings.streams).items():
        views = StreamViews(settings.web.bitrate_kbps, settings.streams[title].overlay)
        running = prepare_stream(settings, title, [views.sink], opened, opening=open_repeated, models=models)
        streams[name] = ServedStream(name, title, views, running.pipeline), running
    return streams


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
