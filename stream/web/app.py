"""The addresses of the server: the page, the streams, WHEP (loop's thread).

WHEP is draft-ietf-wish-whep-03: an offer is posted, the answer comes back with the session's address, which is deleted
to end it. Answers hold all candidates at once, so that there is no trickling, and PATCH is refused as the draft asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from stream.web.access import COOKIE, Access
from stream.web.click_routes import add_click_routes
from stream.web.legend import ModelLegend
from stream.web.offer import OfferError, read_offer
from stream.web.served_stream import ServedStream, StreamDescription
from stream.web.viewers import TooManyViewersError, Viewers

STATIC = Path(__file__).parent / "static"
SDP = "application/sdp"
_SDP_TEXT: dict[str, Any] = {SDP: {"schema": {"type": "string"}}}
_RETRY_SECONDS = 10
_REASONS: dict[int | str, dict[str, Any]] = {
    status: {"description": description}
    for status, description in {
        400: "The offer cannot be read or answered.",
        401: "No token.",
        404: "No stream or session of this name.",
        406: "No codec that we have.",
        413: "The body is too large.",
        415: "No SDP.",
        503: "Nobody more may watch now.",
    }.items()
}


class Health(BaseModel):
    """Whether the server does what it should."""

    ok: bool
    streams: dict[str, int]
    """How many are in which state."""
    viewers: int


class TokenEntry(BaseModel):
    """The token, as a person has entered it."""

    token: str


def make_app(streams: Mapping[str, ServedStream], viewers: Viewers, access: Access) -> FastAPI:
    """The application.

    Args:
        streams: by the name that they have in addresses.
        viewers: of all streams.
        access: where tokens and links are tried; that requests are admitted is the guard's work.
    """
    app = FastAPI(
        title="Mirilla",
        description="Watch streams and what models see in them.",
        # FastAPI's own pages fetch their programs from a CDN.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(streams, viewers),
    )
    _add_page(app, access)
    _add_streams(app, streams, viewers)
    _add_whep(app, streams, viewers)
    add_click_routes(app, streams)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _lifespan(streams: Mapping[str, ServedStream], viewers: Viewers) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        def tell_figures() -> None:
            for stream in streams.values():
                figures = stream.figures().model_dump_json()
                stream.views.tell_all(f'{{"type": "figures", "figures": {figures}}}')

        watching = asyncio.create_task(viewers.watch(tell_figures))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await viewers.end_all()

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


def _add_streams(app: FastAPI, streams: Mapping[str, ServedStream], viewers: Viewers) -> None:
    @app.get("/healthz")
    async def health(response: Response) -> Health:
        """Whether every stream runs; 503 where one has failed."""
        states = Counter(str(stream.state) for stream in streams.values())
        is_well = "failed" not in states
        response.status_code = 200 if is_well else 503
        return Health(ok=is_well, streams=dict(states), viewers=len(viewers))

    @app.get("/api/streams", responses={401: _REASONS[401]})
    async def list_streams() -> list[StreamDescription]:
        """All streams, in the order of the configuration."""
        return [stream.description() for stream in streams.values()]

    @app.get("/api/streams/{stream}/legend", responses={401: _REASONS[401], 404: _REASONS[404]})
    async def legend(stream: str) -> list[ModelLegend]:
        """How to draw what the stream's models say; a model is there when it has said something."""
        if stream not in streams:
            raise HTTPException(404, "there is no stream of this name")
        return streams[stream].views.legend.models


def _add_whep(app: FastAPI, streams: Mapping[str, ServedStream], viewers: Viewers) -> None:
    @app.post(
        "/whep/{stream}",
        status_code=201,
        response_class=Response,
        responses={**_REASONS, 201: {"description": "The SDP answer; Location is the session.", "content": _SDP_TEXT}},
        openapi_extra={"requestBody": {"required": True, "content": _SDP_TEXT}},
    )
    async def watch(stream: str, request: Request, picture: Literal["drawn", "plain"] = "drawn") -> Response:
        """Watch a stream, annotated or as it was captured: an SDP offer is answered (WHEP)."""
        served = streams.get(stream)
        if served is None:
            raise HTTPException(404, "there is no stream of this name")
        broadcast = served.views.drawn if picture == "drawn" else served.views.plain
        if broadcast is None:
            raise HTTPException(404, "this stream shows nobody its plain picture")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
            raise HTTPException(415, f"the offer's Content-Type must be {SDP}")
        try:
            session, answer = await viewers.admit(stream, broadcast, read_offer(await request.body()))
        except OfferError as error:
            raise HTTPException(error.status, str(error)) from error
        except TooManyViewersError as error:
            detail = "as many watch as may; come back later"
            raise HTTPException(503, detail, {"Retry-After": str(_RETRY_SECONDS)}) from error
        return Response(answer, 201, {"Location": f"/whep/{stream}/{session}"}, SDP)

    @app.delete("/whep/{stream}/{session}", responses={401: _REASONS[401], 404: _REASONS[404]})
    async def leave(stream: str, session: str) -> None:
        """End a session (WHEP)."""
        if not await viewers.end(stream, session):
            raise HTTPException(404, "there is no session of this name")

    @app.patch("/whep/{stream}/{session}", status_code=405, response_class=Response, include_in_schema=False)
    async def trickle(stream: str, session: str) -> Response:  # noqa: ARG001 - the path's parts
        detail = "candidates do not trickle here: offer after gathering; for a restart of ICE, begin a new session"
        raise HTTPException(405, detail, {"Allow": "DELETE"})
