"""Whether a server that was gone takes calls again, so that nobody waits half a minute for a camera that is back.

Used while a network source waits for its next attempt (capture thread). A call that is taken and ended at once costs a
server next to nothing, where an attempt asks it for a stream; and a server that is there and has no pictures is left
alone until the wait is over.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from threading import Event
from urllib.parse import urlsplit

CALL_EVERY_SECONDS = 0.5

_CALL_SECONDS = 1.0
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

Call = Callable[[tuple[str, int]], bool]
"""Whether a call to a host and a port is taken."""


class ReturnWatch:
    """Waits between attempts to reach one address."""

    def __init__(
        self,
        address: str,
        closed: Event,
        *,
        call: Call | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look up the host, while it can be reached: later the answer could take long.

        Args:
            address: of the source, at this moment connected to.
            closed: set when the source is.
            call: tries to reach the host; bounded in time.
            clock: seconds that only go forward.
        """
        self._place = _place_of(address)
        self._closed = closed
        self._call = call or _is_taken
        self._clock = clock

    def wait(self, seconds: float) -> bool:
        """Wait so long, or less where the server is back that was gone at the beginning.

        Returns:
            Whether the source was closed meanwhile.
        """
        until = self._clock() + seconds
        was_gone = seconds > CALL_EVERY_SECONDS and not self._is_there()
        while (left := until - self._clock()) > 0:
            if self._closed.wait(min(left, CALL_EVERY_SECONDS)):
                return True
            if was_gone and self._is_there():
                return False
        return self._closed.is_set()

    def _is_there(self) -> bool:
        return self._place is None or self._call(self._place)


def _place_of(address: str) -> tuple[str, int] | None:
    """The numeric address and the port; None where they cannot be told."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme.lower()]
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, KeyError):
        return None
    return str(found[0][4][0]), port


def _is_taken(place: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(place, _CALL_SECONDS):
        return True
    return False
