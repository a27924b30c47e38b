"""What signals mean to a run: Ctrl-C and SIGTERM end it well, SIGHUP has the configuration read again (main thread)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def stopping_on_signals(end: Callable[[], None], reload: Callable[[], None] | None = None) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end what runs, so that it is finished well; a second one ends the program at once.

    Args:
        end: called on the main thread, after the event that is given was set; must not wait.
        reload: called there on SIGHUP; must not wait. Where a terminal was closed, SIGHUP ends what runs instead.
    """
    stopped = threading.Event()
    before: dict[int, Any] = {}
    has_terminal = _has_terminal()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        for known, handler in before.items():
            signal.signal(known, handler)
        end()

    def hang_up(number: int, frame: FrameType | None) -> None:
        # The kernel sends it as well when the terminal goes: then nobody is there who could have edited anything.
        if reload is None or (has_terminal and not _has_terminal()):
            stop(number, frame)
        else:
            reload()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, stop)
        if hasattr(signal, "SIGHUP") and reload is not None:
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield stopped
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


def _has_terminal() -> bool:
    """Whether standard error is a terminal that is still there."""
    try:
        return os.isatty(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return False
