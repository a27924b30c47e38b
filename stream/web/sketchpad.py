"""The sketchpad's addresses: its page, the models that guess, and the line that strokes come by (loop's thread)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.responses import FileResponse

from stream.web.sketchpad_guesser import Guesser, SketchModelDescription
from stream.web.sketchpad_session import Sharing, SketchpadSession

PAGE = "/draw"
PEN = "/api/sketchpad/pen"
MOST_PADS = 64

_PAGE_FILE = Path(__file__).parent / "static" / "draw" / "index.html"
_TRY_AGAIN = 1013
"""RFC 6455's registry of close codes: the server is overloaded."""


class Pads(NamedTuple):
    """What sketchpads need of the server.

    Attributes:
        guesser: asked what is drawn on them.
        bitrate_kbps: of the encoder of one that is shown to others.
    """

    guesser: Guesser
    bitrate_kbps: int


def add_sketchpad(app: FastAPI, guesser: Guesser, sharing: Sharing) -> None:
    """Add the sketchpad to an application.

    Args:
        app: what answers.
        guesser: asked what drawings are.
        sharing: shows pads to others.
    """
    sessions: set[SketchpadSession] = set()

    @app.get(PAGE, include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE_FILE)

    @app.get("/api/sketchpad", responses={401: {"description": "No token."}, 503: {"description": "No model."}})
    async def list_models() -> Sequence[SketchModelDescription]:
        """The models that guess at drawings, and all that each can tell apart; the first is asked unless told."""
        descriptions = guesser.descriptions()
        if not descriptions:
            raise HTTPException(503, "no sketch model is here that can be loaded; install Mirilla again")
        return descriptions

    @app.websocket(PEN)
    async def pen(socket: WebSocket) -> None:
        if len(sessions) >= MOST_PADS:
            await socket.accept()
            await socket.close(_TRY_AGAIN, "as many draw as may; come back later")
            return
        session = SketchpadSession(socket, guesser, sharing)
        sessions.add(session)
        try:
            await session.run()
        finally:
            sessions.discard(session)
