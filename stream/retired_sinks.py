"""Sinks that a running stream no longer writes to: finished on threads of their own, so that no picture waits for them.

Moving the index of a long recording to its front takes seconds. Retired on the write thread, attended to on the
caller's.
"""

from __future__ import annotations

import logging
import threading

from stream.errors import SinkError
from stream.sinks.sink import Sink

_log = logging.getLogger("mirilla")


class RetiredSinks:
    """Those of one stream."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._closing: list[tuple[Sink, threading.Thread]] = []
        self._threads: list[threading.Thread] = []
        self._errors: list[SinkError] = []

    def retire(self, sink: Sink) -> None:
        """Close a sink that nobody writes to any more; returns at once."""
        thread = threading.Thread(target=self._close, args=(sink,), name="mirilla-close", daemon=True)
        with self._lock:
            self._closing.append((sink, thread))
            self._threads.append(thread)
            thread.start()

    def to_attend(self) -> list[Sink]:
        """Those that have something to do on the caller's thread: while they close, and once after."""
        with self._lock:
            sinks = [sink for sink, _ in self._closing]
            self._closing = [(sink, thread) for sink, thread in self._closing if thread.is_alive()]
            return sinks

    def finish(self) -> list[SinkError]:
        """Wait until all are closed; returns what went wrong, once."""
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._lock:
            errors, self._errors = self._errors, []
        return errors

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except SinkError as error:
            # Said now, because the stream may go on for days; and it is a failure of the run at its end.
            _log.warning("%s", error)
            with self._lock:
                self._errors.append(error)
