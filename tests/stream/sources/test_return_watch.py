"""How long a source waits for its next attempt: all of it, or until the server is back."""

from __future__ import annotations

import socket
from threading import Event

import pytest
from typing_extensions import override

from stream.sources.return_watch import ReturnWatch

ADDRESS = "rtsp://viewer:secret@127.0.0.1/cam"


class Hours(Event):
    """Time that goes by as fast as it is waited for."""

    def __init__(self, closed_at: float | None = None) -> None:
        super().__init__()
        self.now = 0.0
        self._closed_at = closed_at

    def clock(self) -> float:
        return self.now

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        if self._closed_at is not None and self.now >= self._closed_at:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(
    ("seconds", "back_at", "waited"),
    [
        (30, None, 30),  # gone, and stays away
        (30, 0, 30),  # there all the time, and without pictures: it is not asked more often for that
        (30, 12.3, 12.5),
        (30, 29.9, 30),
        (2.5, 1.9, 2),
        (0.4, 0.2, 0.4),  # no call for so short a wait
    ],
)
def test_who_waits_goes_on_within_half_a_second_of_the_return(
    seconds: float, back_at: float | None, waited: float
) -> None:
    time = Hours()
    called: list[tuple[str, int]] = []

    def call(place: tuple[str, int]) -> bool:
        called.append(place)
        return back_at is not None and time.now >= back_at

    assert not ReturnWatch(ADDRESS, time, call=call, clock=time.clock).wait(seconds)
    assert time.now == pytest.approx(waited)
    assert set(called) <= {("127.0.0.1", 554)}


def test_closing_ends_the_wait() -> None:
    time = Hours(closed_at=3)
    assert ReturnWatch(ADDRESS, time, call=lambda _: False, clock=time.clock).wait(30)
    assert time.now == 3


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://host.invalid/cam",  # no such host
        "http://127.0.0.1:port/",
        "foo://127.0.0.1/",
    ],
)
def test_a_place_that_cannot_be_told_is_not_called(address: str) -> None:
    time = Hours()

    def call(place: tuple[str, int]) -> bool:
        pytest.fail(f"{place} was called")

    assert not ReturnWatch(address, time, call=call, clock=time.clock).wait(5)
    assert time.now == 5


def test_a_port_that_is_listened_on_takes_calls_and_another_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watch = ReturnWatch(f"http://127.0.0.1:{port}/", Event())
        assert watch._is_there()
    assert not watch._is_there()
