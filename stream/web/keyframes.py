"""Wishes for a keyframe, from many viewers to one encoder: at most one is granted in a second.

Viewers ask on the loop's thread, the encoder takes on the write thread.
"""

from __future__ import annotations

import threading

LEAST_INTERVAL_NS = 1_000_000_000
"""A keyframe is several times as large as another picture: who asks for many must not spoil it for the rest."""


class KeyframeWishes:
    """Holds the wish until it may be granted; several that come together are one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_asked = False
        self._granted_ns: int | None = None

    def ask(self) -> None:
        """Wish that one of the next pictures is whole."""
        with self._lock:
            self._is_asked = True

    def take(self, now_ns: int) -> bool:
        """Whether the picture of this moment has to be a keyframe; a wish that comes too early stays."""
        with self._lock:
            if not self._is_asked:
                return False
            if self._granted_ns is not None and now_ns - self._granted_ns < LEAST_INTERVAL_NS:
                return False
            self._is_asked = False
            self._granted_ns = now_ns
            return True
