"""A thread that libav keeps waiting is let go at once, and only that one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import av
import pytest

from stream.sources.interruption import forget_this_thread, interrupt

CEILING = 20
LIMIT = 600
"""Seconds until PyAV's own time limit would end what is tested."""


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_says_nothing_keeps_nobody(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        first, second = (_opening(address, lambda: None) for _ in range(2))
        with silent.accept()[0], silent.accept()[0]:
            interrupt(first)
            first.join(CEILING)
            assert not first.is_alive()
            assert second.is_alive()
            interrupt(second)
            second.join(CEILING)
            assert not second.is_alive()


def test_who_is_interrupted_before_it_begins_does_not_wait_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = _opening(f"http://127.0.0.1:{silent.getsockname()[1]}/", lambda: interrupt(threading.current_thread()))
        thread.join(CEILING)
        assert not thread.is_alive()


def _opening(address: str, before: Callable[[], None]) -> threading.Thread:
    def open_and_fail() -> None:
        before()
        try:
            av.open(address, timeout=(LIMIT, LIMIT))
        except av.FFmpegError:
            forget_this_thread()

    thread = threading.Thread(target=open_and_fail, daemon=True)
    thread.start()
    return thread
