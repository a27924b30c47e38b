"""`mirilla serve`: streams run side by side, and a page shows them, until Ctrl-C (called on the main thread)."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.chain import LoadedModel
from stream.config import OverlaySettings, Settings, StreamSettings, WebSettings
from stream.config_file import ConfigFile
from stream.errors import ConfigError
from stream.live_changes import LiveChanges
from stream.model_shelf import ModelShelf
from stream.opencv_threads import opencv_on_one_thread
from stream.options import CONFIG_NAME
from stream.running_stream import RunningStream
from stream.signals import stopping_on_signals
from stream.sources import Source, open_source
from stream.sources.pushed import WORD, PushedSource
from stream.sources.repeated import RepeatedSource
from stream.sources.source import SourceOptions
from stream.stream_run import Opening, prepare_stream
from stream.web.access import Access, is_loopback
from stream.web.added_streams import AddedStreams
from stream.web.app import make_app
from stream.web.greeting import greeting
from stream.web.guard import Guard
from stream.web.hub import Hub, make_hub
from stream.web.invitation import Invitations
from stream.web.publisher import Seat
from stream.web.rate_limit import RateLimit
from stream.web.served_stream import ServedStream, address_names
from stream.web.server import WebServer
from stream.web.sketchpad import PAGE, Pads
from stream.web.sketchpad_guesser import Guesser
from stream.web.stream_views import StreamViews
from stream.web.studio import Studio
from stream.web.tls import certificate_for

NULL = "null"
"""The sink of a stream that only the page shows."""

_log = logging.getLogger("mirilla")

_WAKE_EVERY_SECONDS = 0.2
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs while streams are served.

    Attributes:
        server: where it listens.
        access: the token and the links.
        invitations: makes links for others.
        hub: the streams, and who is connected; shared sketchpads come and go.
        threads: one a stream of the configuration.
        changes: of the streams, while they run.
    """

    server: WebServer
    access: Access
    invitations: Invitations
    hub: Hub
    threads: Sequence[threading.Thread]
    changes: LiveChanges


def serve_streams(
    settings: Settings, say: Callable[[str], None], config: ConfigFile | None = None, *, with_code: bool = False
) -> bool:
    """Serve until Ctrl-C, SIGTERM, or the end of the last stream; without any stream, the sketchpad alone.

    Args:
        settings: the streams, and how they are shown.
        say: prints a line for the user.
        config: where the settings come from; when it changes, so do the streams.
        with_code: whether a QR code of the link is printed, too.

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
        for line in greeting(now.invitations, settings.web, now.server.certificate, with_code=with_code):
            say(line)
        if not now.threads:
            say(f"there is nothing to watch without a {CONFIG_NAME} or --source; the sketchpad is at {PAGE}")
        while not stopped.wait(_WAKE_EVERY_SECONDS):
            if now.threads and not any(thread.is_alive() for thread in now.threads):
                break
    return all(stream.error is None for stream in now.hub.streams.values())


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
        shelf = ModelShelf(guests=settings.web.max_cameras)
        running = _prepare(settings, shelf, opened)
        streams = {name: stream for name, (stream, _) in running.items()}
        studio = Studio(settings, {name: stream for name, (_, stream) in running.items()}, shelf)
        by_title = {stream.name: stream for _, stream in running.values()}
        changes = opened.enter_context(LiveChanges(settings, by_title, shelf, config))
        threads = [
            threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True)
            for name, stream in streams.items()
        ]
        try:
            with listening(streams, settings.web, _additions(settings, streams), shelf.models, studio) as door:
                try:
                    for thread in threads:
                        thread.start()
                    yield Serving(door.server, door.access, door.invitations, door.hub, threads, changes)
                finally:
                    for stream in list(streams.values()):
                        stream.pipeline.stop()
        finally:
            for thread in (*threads, *studio.threads):
                if thread.is_alive():
                    thread.join(_STOP_SECONDS)


class Door(NamedTuple):
    """What answers for streams, and who has come in by it."""

    server: WebServer
    access: Access
    invitations: Invitations
    hub: Hub


@contextmanager
def listening(
    streams: MutableMapping[str, ServedStream],
    web: WebSettings,
    added: AddedStreams | None = None,
    models: Iterable[LoadedModel] = (),
    studio: Studio | None = None,
) -> Iterator[Door]:
    """Answer for streams that others run, until the block ends.

    Args:
        streams: by the name that they have in addresses; sketchpads that are shared come and go there.
        web: how they are shown.
        added: adds streams to them; None where nobody may.
        models: what was loaded for the streams; the sketchpad takes those that guess at drawings.
        studio: makes streams of visitors' cameras; None where none may come.

    Raises:
        ConfigError: the address cannot be taken, or a certificate is no use.
    """
    if not _log.isEnabledFor(logging.DEBUG):
        # What other people's senders get wrong is said a hundred times a second.
        logging.getLogger("aiortc").setLevel(logging.ERROR)
    access, rate_limit = Access(token_for(web)), RateLimit()
    hub = make_hub(streams, web, studio)
    server = WebServer(web.host, web.port, certificate_for(web.tls, web.host))
    invitations = Invitations(access, server.host, server.port, is_secure=server.certificate is not None)
    pads = Pads(Guesser(models), web.bitrate_kbps)
    app = make_app(hub, access, invitations=invitations, rate_limit=rate_limit, pads=pads, added=added)
    try:
        server.start(Guard(app, access, web.host, rate_limit))
        yield Door(server, access, invitations, hub)
    finally:
        server.stop()
        pads.guesser.close()


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
    names = address_names(settings.streams)
    made = {name: _made(settings, title, name, open_repeated, opened, models) for title, name in names.items()}
    for stream, _ in made.values():
        stream.takes_cameras = settings.web.max_cameras > 0
    return made


def _made(
    settings: Settings, title: str, name: str, opening: Opening, opened: ExitStack, models: ModelShelf
) -> tuple[ServedStream, RunningStream]:
    """One stream, with its source open, and what runs it."""
    views = StreamViews(settings.web.bitrate_kbps, settings.streams[title].overlay)
    pushed = PushedSource(title, "a publisher") if settings.streams[title].source == WORD else None
    opening = opening if pushed is None else _already(pushed)
    running = prepare_stream(settings, title, [views.sink], opened, opening=opening, models=models)
    seat = None if pushed is None else Seat(pushed)
    return ServedStream(name, title, views, running.pipeline, seat=seat), running


def _already(source: Source) -> Opening:
    """Opens a source that is open."""
    return lambda *_: source


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
        alone = settings.model_copy(update={"streams": {title: stream}})
        # With models of its own: those of the configuration come and go with it.
        made, _ = _made(alone, title, name, opening, opened, ModelShelf())
        made.is_added = True
        return made

    return AddedStreams(allowed, streams, make)


def token_for(web: WebSettings) -> str | None:
    """What viewers have to show: the token that was given, a new one beyond this machine, or nothing."""
    if web.token is not None or is_loopback(web.host):
        return web.token
    return secrets.token_urlsafe(24)
