"""Somebody who sends a camera and watches what models see in it, on one connection (loop's thread)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typing_extensions import override

from stream.web.connections import Connections
from stream.web.intake import Intake
from stream.web.offer import Offer
from stream.web.studio import Visit
from stream.web.viewer import Viewer


class Visitor(Viewer):
    """A viewer of a stream that is made of the viewer's own pictures."""

    direction = "sendrecv"

    def __init__(self, visit: Visit, offer: Offer, on_gone: Callable[[], None], connections: Connections) -> None:
        """Nothing is opened yet.

        Args:
            visit: the visitor's stream; ended with the connection.
            offer: the other side's.
            on_gone: called when the connection has failed or was ended by the other side.
            connections: makes the connection.
        """
        self.visit = visit
        super().__init__(visit.stream.views.drawn, offer, on_gone, connections)
        self._intake = Intake(self._connection, visit.source.put)

    @override
    def connected(self) -> None:
        super().connected()
        self.visit.start()

    @override
    async def close(self) -> None:
        self.visit.end()
        await self._intake.end()
        await super().close()

    @override
    def hear(self, message: dict[str, Any]) -> None:
        """`{"type": "camera", "mirrored": true, "on": true}`: how the camera is, besides what every viewer says."""
        if message.get("type") != "camera":
            super().hear(message)
            return
        self.visit.source.is_mirrored = message.get("mirrored") is True
        if message.get("on") is False:
            self.visit.source.sender_left()

    def go_if_broken(self) -> None:
        """End the session where no picture can come back any more."""
        if self.visit.stream.state == "failed":
            self._on_gone()
