"""What a person at a view may change while a stream runs.

The pipeline makes one and hands it to the views (a window, later a page), which call it from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Controls:
    """The switches of one running stream."""

    def __init__(self, stop: Callable[[], None], toggle_hud: Callable[[], None]) -> None:
        """Wire the switches.

        Args:
            stop: ends the capture; what was captured is still written.
            toggle_hud: draws the run's figures from the next picture on, or no longer.
        """
        self._stop = stop
        self._stopping = threading.Event()
        self.toggle_hud = toggle_hud

    @property
    def is_stopping(self) -> bool:
        """Whether the stream is ending, whoever ended it."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End the stream: capture nothing more, finish what was captured."""
        self.stopping()
        self._stop()

    def stopping(self) -> None:
        """Note that the stream is ending, so that nobody waits for a person any more."""
        self._stopping.set()
