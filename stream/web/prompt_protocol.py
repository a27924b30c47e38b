"""HTTP as uvicorn speaks it, but not with those who take a connection and ask nothing (loop's thread).

uvicorn waits for ever for the head of a request, and so few clients could take all the connections that there are.
"""

from __future__ import annotations

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 10.0
"""How long a client may take for the head of a request."""


class PromptProtocol(H11Protocol):
    """One connection, which is closed where no request begins and none is answered for a while."""

    _seen: RequestResponseCycle | None = None
    _timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._look_later()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._look)

    def _look(self) -> None:
        transport: Any = self.transport
        if transport.is_closing() or transport.get_protocol() is not self:
            # Ended, or a WebSocket by now.
            return
        rests = self.cycle is None or self.cycle.response_complete
        if rests and self.cycle is self._seen:
            transport.close()
            return
        self._seen = self.cycle
        self._look_later()
