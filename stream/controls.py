"""What a person at a view may change while a stream runs. Asked and changed from any thread.

The pipeline makes one; views (a window, later a page) change it, the stages read it with every frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Controls:
    """The switches of one running stream."""

    def __init__(self, stop: Callable[[], None], *, hud: bool = True) -> None:
        """As the stream begins.

        Args:
            stop: ends the capture; what was captured is still written.
            hud: whether the run's figures are drawn.
        """
        self._lock = threading.Lock()
        self._stop = stop
        self._stopping = threading.Event()
        self._hud = hud

    @property
    def hud(self) -> bool:
        """Whether the run's figures are drawn."""
        with self._lock:
            return self._hud

    def toggle_hud(self) -> None:
        """Draw the run's figures, or no longer."""
        with self._lock:
            self._hud = not self._hud

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
