"""The addresses of the server: its pages and what they ask for (loop's thread); see also `stream.web.signalling`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from stream.web.access import COOKIE, Access
from stream.web.hub import Hub
from stream.web.legend import ModelLegend
from stream.web.served_stream import StreamDescription
from stream.web.signalling import REASONS, add_signalling

STATIC = Path(__file__).parent / "static"


class Health(BaseModel):
    """Whether the server does what it should."""

    ok: bool
    streams: dict[str, int]
    """How many are in which state."""
    viewers: int
    publishers: int
    cameras: int
    """Of visitors."""


class TokenEntry(BaseModel):
    """The token, as a person has entered it."""

    token: str


def make_app(hub: Hub, access: Access) -> FastAPI:
    """The application.

    Args:
        hub: the streams, and who is connected.
        access: where tokens and links are tried; that requests are admitted is the guard's work.
    """
    app = FastAPI(
        title="Mirilla",
        description="Watch streams and what models see in them.",
        # FastAPI's own pages fetch their programs from a CDN.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(hub),
    )
    _add_page(app, access)
    _add_streams(app, hub)
    add_signalling(app, hub)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _lifespan(hub: Hub) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        attending = asyncio.create_task(hub.attend())
        try:
            yield
        finally:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)

    return lifespan


def _add_page(app: FastAPI, access: Access) -> None:
    def let_in(response: Response, request: Request) -> None:
        response.set_cookie(
            COOKIE,
            access.cookie_value,
            max_age=30 * 24 * 3600,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/camera", include_in_schema=False)
    async def camera_page() -> FileResponse:
        return FileResponse(STATIC / "camera.html")

    @app.get("/enter", status_code=303, responses={403: {"description": "The code was used, or never was one."}})
    async def enter(request: Request, code: Annotated[str, Query(max_length=100)]) -> RedirectResponse:
        """Come in by a link that works once."""
        if not access.takes_code(code):
            raise HTTPException(403, "this link was used already; ask for the token, or restart the server")
        response = RedirectResponse("/", 303)
        let_in(response, request)
        return response

    @app.post("/api/session", status_code=204, responses={403: {"description": "Not the token."}})
    async def come_in(request: Request, entry: TokenEntry) -> Response:
        """Come in with the token."""
        if not access.takes_token(entry.token):
            raise HTTPException(403, "this is not the token")
        response = Response(status_code=204)
        let_in(response, request)
        return response


def _add_streams(app: FastAPI, hub: Hub) -> None:
    @app.get("/healthz")
    async def health(response: Response) -> Health:
        """Whether every stream runs; 503 where one has failed."""
        states = Counter(str(stream.state) for stream in hub.streams.values())
        is_well = "failed" not in states
        response.status_code = 200 if is_well else 503
        return Health(
            ok=is_well,
            streams=dict(states),
            viewers=len(hub.viewers),
            publishers=len(hub.publishers),
            cameras=len(hub.visitors),
        )

    @app.get("/api/streams", responses={401: REASONS[401]})
    async def list_streams() -> list[StreamDescription]:
        """All streams, in the order of the configuration."""
        return [stream.description() for stream in hub.streams.values()]

    @app.get("/api/streams/{stream}/legend", responses={401: REASONS[401], 404: REASONS[404]})
    async def legend(stream: str) -> list[ModelLegend]:
        """How to draw what the stream's models say; a model is there when it has said something."""
        if stream not in hub.streams:
            raise HTTPException(404, "there is no stream of this name")
        return hub.streams[stream].views.legend.models
