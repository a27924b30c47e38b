"""The addresses of the server: the page, the streams, WHEP (loop's thread).

WHEP is draft-ietf-wish-whep-03: an offer is posted, the answer comes back with the session's address, which is deleted
to end it. Answers hold all candidates at once, so that there is no trickling, and PATCH is refused as the draft asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from stream.web.access import COOKIE, Access
from stream.web.added_streams import AddedStreams
from stream.web.answers import ANYWHERE, BEHIND_TOKEN, answers
from stream.web.connection_routes import add_connection_routes
from stream.web.invitation import Invitations
from stream.web.json_entries import Text, say_what_is_wrong
from stream.web.legend import ModelLegend
from stream.web.metrics_route import add_metrics_route
from stream.web.offer import OfferError, read_offer
from stream.web.rate_limit import RateLimit
from stream.web.served_stream import ServedStream, StreamDescription
from stream.web.sketchpad import Pads, add_sketchpad
from stream.web.sketchpad_share import SharedPads
from stream.web.stream_routes import add_stream_routes
from stream.web.viewers import TooManyViewersError, Viewers

STATIC = Path(__file__).parent / "static"
SDP = "application/sdp"
_SDP_TEXT: dict[str, Any] = {SDP: {"schema": {"type": "string"}}}
_RETRY_SECONDS = 10


class Health(BaseModel):
    """Whether the server does what it should."""

    ok: bool
    streams: dict[str, int]
    """How many are in which state."""
    viewers: int


class TokenEntry(BaseModel):
    """The token, as a person has entered it."""

    token: Text


def make_app(
    streams: MutableMapping[str, ServedStream],
    viewers: Viewers,
    access: Access,
    *,
    invitations: Invitations,
    rate_limit: RateLimit,
    pads: Pads,
    added: AddedStreams | None = None,
) -> FastAPI:
    """The application.

    Args:
        streams: by the name that they have in addresses; sketchpads that are shared come and go there.
        viewers: of all streams.
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
        lifespan=_lifespan(streams, viewers, added),
    )
    app.add_exception_handler(RequestValidationError, say_what_is_wrong)
    _add_page(app, access)
    _add_streams(app, streams, viewers)
    _add_whep(app, streams, viewers)
    add_sketchpad(app, pads.guesser, SharedPads(streams, viewers, pads.bitrate_kbps))
    add_stream_routes(app, added, viewers)
    add_connection_routes(app, viewers.connections.servers, invitations, allows_additions=added is not None)
    add_metrics_route(app, streams, rate_limit)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _lifespan(streams: Mapping[str, ServedStream], viewers: Viewers, added: AddedStreams | None) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        def tell_figures() -> None:
            for stream in list(streams.values()):
                figures = stream.figures().model_dump_json()
                stream.views.tell_all(f'{{"type": "figures", "figures": {figures}}}')

        async with added or contextlib.nullcontext():
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


def _add_streams(app: FastAPI, streams: Mapping[str, ServedStream], viewers: Viewers) -> None:
    @app.get("/healthz", responses={503: {"model": Health, "description": "A stream has failed."}})
    async def health(response: Response) -> Health:
        """Whether every stream runs; 503 where one has failed."""
        states = Counter(str(stream.state) for stream in streams.values())
        # What somebody has added is theirs to look after.
        is_well = all(stream.state != "failed" or stream.is_added for stream in streams.values())
        response.status_code = 200 if is_well else 503
        return Health(ok=is_well, streams=dict(states), viewers=len(viewers))

    @app.get("/api/streams", responses=BEHIND_TOKEN)
    async def list_streams() -> list[StreamDescription]:
        """All streams, in the order of the configuration."""
        return [stream.description() for stream in streams.values()]

    @app.get("/api/streams/{stream}/legend", responses={**BEHIND_TOKEN, **answers({404: "No stream of this name."})})
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
        responses={
            **BEHIND_TOKEN,
            **answers(
                {
                    400: "The offer cannot be read or answered.",
                    404: "No stream of this name.",
                    406: "No codec that we have.",
                    415: "No SDP.",
                    503: "Nobody more may watch now.",
                }
            ),
            201: {"description": "The SDP answer; Location is the session.", "content": _SDP_TEXT},
        },
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
        created = Response(answer, 201, {"Location": f"/whep/{stream}/{session}"}, SDP)
        for link in viewers.connections.servers.links():
            created.headers.append("Link", link)
        return created

    @app.delete("/whep/{stream}/{session}", responses={**BEHIND_TOKEN, **answers({404: "No session of this name."})})
    async def leave(stream: str, session: str) -> None:
        """End a session (WHEP)."""
        if not await viewers.end(stream, session):
            raise HTTPException(404, "there is no session of this name")

    @app.patch("/whep/{stream}/{session}", status_code=405, response_class=Response, include_in_schema=False)
    async def trickle(stream: str, session: str) -> Response:  # noqa: ARG001 - the path's parts
        detail = "candidates do not trickle here: offer after gathering; for a restart of ICE, begin a new session"
        raise HTTPException(405, detail, {"Allow": "DELETE"})
