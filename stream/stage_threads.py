"""The threads of one pipeline: one a stage; what breaks first on any of them is kept, and the others are stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

_log = logging.getLogger("mirilla")


class StageThreads:
    """Runs stages side by side, once."""

    def __init__(self, stop: Callable[[], None]) -> None:
        """Nothing runs yet.

        Args:
            stop: ends the stages soon; called after each failure, on the thread that failed.
        """
        self.failure: BaseException | None = None
        """What failed first."""
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._left = 0
        self._on_over: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def start(self, stages: Mapping[str, Callable[[], None]], on_over: Callable[[], None]) -> None:
        """Begin.

        Args:
            stages: by name, the first stage of a frame's way first.
            on_over: called once, on the last of the threads to end.
        """
        self._on_over = on_over
        self._threads = [
            threading.Thread(target=self._guarded, args=(stage,), name=f"mirilla-{name}", daemon=True)
            for name, stage in stages.items()
        ]
        self._left = len(self._threads)
        for thread in self._threads:
            thread.start()

    @property
    def have_begun(self) -> bool:
        """Whether they were started."""
        return bool(self._threads)

    @property
    def are_running(self) -> bool:
        """Whether any has not ended."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> None:
        """Wait for the last stage of a frame's way to end, at most so long."""
        if self._threads:
            self._threads[-1].join(seconds)

    def fail(self, error: BaseException) -> None:
        """Note what broke, and stop; safe from any thread."""
        with self._lock:
            if self.failure is None:
                self.failure = error
            else:
                _log.debug("a further stage failed", exc_info=error)
        self._stop()

    def _guarded(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as error:
            self.fail(error)
        finally:
            with self._lock:
                self._left -= 1
                is_over = not self._left
            if is_over:
                self._on_over()
