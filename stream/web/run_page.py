"""The page of a run that has `web` among its sinks: its streams are run by others, and shown here (main thread)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from stream.config import Settings
from stream.errors import ConfigError
from stream.pipeline import Pipeline
from stream.sinks.sink import Sink
from stream.sinks.web import PageSink
from stream.web.greeting import greeting
from stream.web.serve import listening
from stream.web.served_stream import ServedStream, address_names
from stream.web.stream_views import StreamViews


@contextmanager
def run_page(
    settings: Settings, streams: Mapping[str, tuple[Pipeline, Sequence[Sink]]], say: Callable[[str], None]
) -> Iterator[Mapping[str, ServedStream]]:
    """Serve a page until the block ends.

    Args:
        settings: of the run.
        streams: by name, ready to run, with their sinks.
        say: prints a line for the user.

    Yields:
        What the page shows, by name: to be told when a stream begins and ends.

    Raises:
        ConfigError: a stream is shown twice, or the address cannot be taken.
    """
    shown: dict[str, ServedStream] = {}
    for title, name in address_names(streams).items():
        pipeline, sinks = streams[title]
        places = [sink for sink in sinks if isinstance(sink, PageSink)]
        if len(places) > 1:
            raise ConfigError(f"config: streams.{title}.sinks: 'web' stands there {len(places)} times; once is enough")
        if places:
            views = StreamViews(settings.web.bitrate_kbps, settings.streams[title].overlay)
            places[0].attach(views.sink)
            shown[title] = ServedStream(name, title, views, pipeline)
    with listening({stream.name: stream for stream in shown.values()}, settings.web) as door:
        for line in greeting(door.invitations, settings.web, door.server.certificate):
            say(line)
        yield shown
