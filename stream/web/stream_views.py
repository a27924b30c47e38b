"""What of one stream can be watched: the annotated picture, the plain one, and the legend to draw on that.

Made on the main thread before the stream runs; the write thread feeds it, the loop's thread reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from stream.config import OverlaySettings
from stream.errors import ConfigError
from stream.watermark import CaptureClock
from stream.web.broadcast import Broadcast
from stream.web.legend import Legend
from stream.web.picture_encoder import Codec
from stream.web.web_sink import WebSink


class StreamViews:
    """The broadcasts of one stream; each encodes only while somebody watches it."""

    def __init__(self, bitrate_kbps: int, overlay: OverlaySettings) -> None:
        """Nobody watches.

        Args:
            bitrate_kbps: of each encoder.
            overlay: what is drawn, and by whom.

        Raises:
            ConfigError: pages are to draw on a picture that they must not see.
        """
        hidden = _hidden_by(overlay)
        if overlay.browser and hidden is not None:
            raise ConfigError(f"overlay.{hidden} hides what pages are shown with 'browser: true'; leave one out")
        self.bitrate_kbps = bitrate_kbps
        self.is_drawn_by_pages = overlay.browser
        self.drawn = Broadcast(bitrate_kbps * 1000)
        # Who isolates, or puts something behind people, may mean to hide the rest.
        self.plain = Broadcast(bitrate_kbps * 1000) if hidden is None else None
        self.legend = Legend()
        clock = CaptureClock() if overlay.watermark else None
        self.sink = WebSink(self.drawn, self.plain, self.legend, watermark=clock)

    def tell_with_frames(self, told: Callable[[], Mapping[str, Any]]) -> None:
        """Say what pages are told with every frame besides results; asked on the write thread."""
        for broadcast in self._broadcasts:
            broadcast.told = told

    @property
    def viewers(self) -> Counter[Codec]:
        """How many watch, by codec."""
        return sum((broadcast.viewers for broadcast in self._broadcasts), Counter())

    @property
    def left_out(self) -> int:
        """Pictures that were not encoded because the loop was behind."""
        return sum(broadcast.left_out for broadcast in self._broadcasts)

    def tell_all(self, message: str) -> None:
        """Send a message to everybody who wants results."""
        for broadcast in self._broadcasts:
            broadcast.tell_all(message)

    def adapt(self) -> None:
        """Set what the encoders take by what viewers have reported."""
        for broadcast in self._broadcasts:
            broadcast.adapt()

    @property
    def _broadcasts(self) -> list[Broadcast]:
        return [self.drawn] if self.plain is None else [self.drawn, self.plain]


def _hidden_by(overlay: OverlaySettings) -> str | None:
    """What keeps a part of the picture from being seen, as `KEY: VALUE`; None where nothing does."""
    if overlay.isolate is not None:
        return f"isolate: {overlay.isolate!r}"
    return None if overlay.background == "none" else f"background: {overlay.background!r}"
