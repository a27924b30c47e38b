"""The addresses of the server: its pages and what they ask for (loop's thread); see also `stream.web.signalling`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from stream.web.access import COOKIE, Access
from stream.web.added_streams import AddedStreams
from stream.web.answers import ANYWHERE, BEHIND_TOKEN, answers
from stream.web.click_routes import add_click_routes
from stream.web.connection_routes import add_connection_routes
from stream.web.hub import Hub
from stream.web.invitation import Invitations
from stream.web.json_entries import Text, say_what_is_wrong
from stream.web.legend import ModelLegend
from stream.web.metrics_route import add_metrics_route
from stream.web.rate_limit import RateLimit
from stream.web.served_stream import StreamDescription
from stream.web.signalling import add_signalling
from stream.web.sketchpad import Pads, add_sketchpad
from stream.web.sketchpad_share import SharedPads
from stream.web.stream_routes import add_stream_routes

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

    token: Text


def make_app(
    hub: Hub,
    access: Access,
    *,
    invitations: Invitations,
    rate_limit: RateLimit,
    pads: Pads,
    added: AddedStreams | None = None,
) -> FastAPI:
    """The application.

    Args:
        hub: the streams, and who is connected; sketchpads that are shared come and go there.
        access: where tokens and links are tried; that requests are admitted is the guard's work.
        invitations: makes links for others.
        rate_limit: the guard's, for the figures.
        pads: what guesses at drawings, and how sketchpads are shown to others.
        added: adds streams; None where nobody may.
    """
    app = FastAPI(
        title="Mirilla",
        description="Watch streams and what models see in them.",
        # FastAPI's own pages fetch their programs from a CDN.
        docs_url=None,
        redoc_url=None,
        responses=ANYWHERE,
        lifespan=_lifespan(hub, added),
    )
    app.add_exception_handler(RequestValidationError, say_what_is_wrong)
    _add_page(app, access)
    _add_streams(app, hub)
    add_signalling(app, hub)
    add_sketchpad(app, pads.guesser, SharedPads(hub, pads.bitrate_kbps))
    add_stream_routes(app, added, hub)
    add_connection_routes(app, hub.connections.servers, invitations, allows_additions=added is not None)
    add_metrics_route(app, hub.streams, rate_limit)
    add_click_routes(app, hub.streams)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _lifespan(hub: Hub, added: AddedStreams | None) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with added or contextlib.nullcontext():
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

    @app.get("/enter", status_code=303, responses=answers({403: "The code was used, or never was one."}))
    async def enter(request: Request, code: Annotated[str, Query(max_length=100)]) -> RedirectResponse:
        """Come in by a link that works once."""
        if not access.takes_code(code):
            raise HTTPException(403, "this link was used already; ask for the token, or restart the server")
        response = RedirectResponse("/", 303)
        let_in(response, request)
        return response

    @app.post("/api/session", status_code=204, responses=answers({403: "Not the token."}))
    async def come_in(request: Request, entry: TokenEntry) -> Response:
        """Come in with the token."""
        if not access.takes_token(entry.token):
            raise HTTPException(403, "this is not the token")
        response = Response(status_code=204)
        let_in(response, request)
        return response


def _add_streams(app: FastAPI, hub: Hub) -> None:
    @app.get("/healthz", responses={503: {"model": Health, "description": "A stream has failed."}})
    async def health(response: Response) -> Health:
        """Whether every stream runs; 503 where one has failed."""
        states = Counter(str(stream.state) for stream in hub.streams.values())
        # What somebody has added is theirs to look after.
        is_well = all(stream.state != "failed" or stream.is_added for stream in hub.streams.values())
        response.status_code = 200 if is_well else 503
        return Health(
            ok=is_well,
            streams=dict(states),
            viewers=len(hub.viewers),
            publishers=len(hub.publishers),
            cameras=len(hub.visitors),
        )

    @app.get("/api/streams", responses=BEHIND_TOKEN)
    async def list_streams() -> list[StreamDescription]:
        """All streams, in the order of the configuration."""
        return [stream.description() for stream in hub.streams.values()]

    @app.get("/api/streams/{stream}/legend", responses={**BEHIND_TOKEN, **answers({404: "No stream of this name."})})
    async def legend(stream: str) -> list[ModelLegend]:
        """How to draw what the stream's models say; a model is there when it has said something."""
        if stream not in hub.streams:
            raise HTTPException(404, "there is no stream of this name")
        return hub.streams[stream].views.legend.models
