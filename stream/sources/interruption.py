"""Ends what libav is blocked in on another thread, at once (called by whoever closes a network source).

libav asks ten times a second, wherever it waits for a network, whether to go on. PyAV answers with its time limit alone
(`av.container.core.interrupt_cb`) and offers no other way in. So its clock is replaced by one that, for a thread that
is to be interrupted, is always past the limit. Should another version of PyAV not ask this clock, only the time limit
is left; `tests/stream/sources/test_interruption.py` would say so.
"""

from __future__ import annotations

import threading
import time

import av.container.core

_FAR_SECONDS = 1e6
"""Beyond every time limit."""

_asked: dict[int, int] = {}
"""How often each thread that is to be interrupted asked for the time since."""


def interrupt(thread: threading.Thread) -> None:
    """Let every network operation of libav's on this thread fail from now on; the thread has to run."""
    if thread.ident is not None:
        _asked.setdefault(thread.ident, 0)


def forget_this_thread() -> None:
    """Be interrupted no more: numbers of threads that ended are given to new ones."""
    _asked.pop(threading.get_ident(), None)


class _Clock:
    """Stands in for the module `time` within PyAV, which takes nothing but this from it."""

    @staticmethod
    def monotonic() -> float:
        ident = threading.get_ident()
        times = _asked.get(ident)
        if times is None:
            return time.monotonic()
        # Later with each question: the first one may be that for the beginning of an operation.
        _asked[ident] = times + 1
        return time.monotonic() + _FAR_SECONDS * (times + 1)


vars(av.container.core)["time"] = _Clock
