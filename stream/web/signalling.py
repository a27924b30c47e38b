"""How connections are made over HTTP: WHEP to watch, WHIP to send, and both at once for a camera (loop's thread).

WHIP is RFC 9725, WHEP draft-ietf-wish-whep-03: an offer is posted, the answer comes back with the session's address,
which is deleted to end it. Answers hold all candidates; those of the other side may trickle by PATCH.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, HTTPException, Request, Response

from models.errors import MirillaError
from stream.web.answers import BEHIND_TOKEN, answers
from stream.web.hub import Hub, PlainPictureError
from stream.web.offer import Offer, OfferError, Purpose, read_offer
from stream.web.peer import Peer
from stream.web.publisher import STALE_SECONDS, SeatTakenError
from stream.web.sessions import Admitted, Sessions, TooManyError
from stream.web.trickle import FRAGMENT, FragmentError, check_tag, read_fragment

SDP = "application/sdp"
_SDP_TEXT: dict[str, Any] = {SDP: {"schema": {"type": "string"}}}
_FRAGMENT_TEXT: dict[str, Any] = {FRAGMENT: {"schema": {"type": "string"}}}
_RETRY_SECONDS = 10
_REASONS = {
    400: "What was sent cannot be read or answered.",
    404: "No stream or session of this name.",
    406: "No codec that we have.",
    409: "Somebody else sends this stream.",
    412: "Another ICE session.",
    415: "Not the content type that is taken here.",
    422: "ICE is not restarted here.",
    428: "If-Match is missing.",
    503: "Nobody more may come now.",
}


_Admit = Callable[[str, Offer], Awaitable[Admitted]]


@dataclass(frozen=True, slots=True)
class _Door:
    """One of the three ways in."""

    path: str
    purpose: Purpose
    sessions: Sessions[Any]
    knows: Callable[[str], bool]
    admit: _Admit
    summary: str


def add_signalling(app: FastAPI, hub: Hub) -> None:
    """Add the addresses to the application."""
    for door in (
        _Door("whep", "watch", hub.viewers, hub.has_stream, hub.watch, "Watch a stream (WHEP)"),
        _Door("whip", "send", hub.publishers, hub.takes, hub.publish, "Send a stream (WHIP)"),
        _Door("camera", "both", hub.visitors, hub.takes_cameras, hub.visit, "Send a camera, watch what models see"),
    ):
        _add_endpoint(app, hub, door)
        _add_session(app, door)


def _add_endpoint(app: FastAPI, hub: Hub, door: _Door) -> None:
    async def begin(stream: str, request: Request) -> Response:
        """An SDP offer is answered."""
        return await _answered(hub, door, door.admit, stream, request)

    async def watch(stream: str, request: Request, picture: Literal["drawn", "plain"] = "drawn") -> Response:
        """An SDP offer is answered with the annotated picture, or with it as it was captured."""
        admit = partial(hub.watch, is_plain=picture == "plain")
        return await _answered(hub, door, admit, stream, request)

    describe = app.post(
        f"/{door.path}/{{stream}}",
        status_code=201,
        response_class=Response,
        summary=door.summary,
        responses={
            **_reasons(400, 404, 406, 409, 415, 503),
            201: {"description": "The SDP answer; Location is the session.", "content": _SDP_TEXT},
        },
        openapi_extra={"requestBody": {"required": True, "content": _SDP_TEXT}},
    )
    describe(watch if door.purpose == "watch" else begin)

    @app.options(f"/{door.path}/{{stream}}", status_code=204, response_class=Response, include_in_schema=False)
    async def tell(stream: str) -> Response:  # noqa: ARG001 - the path's part
        response = Response(status_code=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": SDP})
        _add_links(response, hub)
        return response


def _add_session(app: FastAPI, door: _Door) -> None:
    path = f"/{door.path}/{{stream}}/{{session}}"

    @app.delete(path, responses=_reasons(404))
    async def end(stream: str, session: str) -> None:
        """End a session."""
        if not await door.sessions.end(stream, session):
            raise HTTPException(404, "there is no session of this name")

    @app.patch(
        path,
        status_code=204,
        response_class=Response,
        responses=_reasons(400, 404, 412, 415, 422, 428),
        openapi_extra={"requestBody": {"required": True, "content": _FRAGMENT_TEXT}},
    )
    async def trickle(
        stream: str, session: str, request: Request, if_match: Annotated[str | None, Header(max_length=200)] = None
    ) -> None:
        """Take further candidates (trickle ICE)."""
        peer: Peer | None = door.sessions.find(stream, session)
        if peer is None:
            raise HTTPException(404, "there is no session of this name")
        _check_type(request, FRAGMENT)
        try:
            check_tag(if_match, peer.entity_tag)
            await peer.take_candidates(read_fragment(await request.body()))
        except FragmentError as error:
            raise HTTPException(error.status, str(error)) from error

    @app.options(path, status_code=204, response_class=Response, include_in_schema=False)
    async def tell(stream: str, session: str) -> Response:  # noqa: ARG001 - the path's parts
        return Response(status_code=204, headers={"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": FRAGMENT})


async def _answered(hub: Hub, door: _Door, admit: _Admit, stream: str, request: Request) -> Response:
    if not door.knows(stream):
        raise HTTPException(404, "there is no stream of this name here")
    _check_type(request, SDP)
    offer = await request.body()
    admitted = await _admitted(admit, stream, offer, door.purpose)
    response = Response(admitted.answer, 201, media_type=SDP)
    response.headers["Location"] = f"/{door.path}/{stream}/{admitted.session}"
    response.headers["ETag"] = admitted.entity_tag
    response.headers["Accept-Patch"] = FRAGMENT
    _add_links(response, hub)
    return response


async def _admitted(admit: _Admit, stream: str, offer: bytes, purpose: Purpose) -> Admitted:
    try:
        return await admit(stream, read_offer(offer, purpose))
    except PlainPictureError as error:
        raise HTTPException(404, "this stream shows nobody its plain picture") from error
    except OfferError as error:
        raise HTTPException(error.status, str(error)) from error
    except SeatTakenError as error:
        detail = "somebody else sends this stream; it is free when they leave, or give no picture for a while"
        raise HTTPException(409, detail, {"Retry-After": str(round(STALE_SECONDS))}) from error
    except TooManyError as error:
        detail = "as many are here as may be; come back later"
        raise HTTPException(503, detail, {"Retry-After": str(_RETRY_SECONDS)}) from error
    except MirillaError as error:
        raise HTTPException(503, str(error)) from error


def _check_type(request: Request, wanted: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        raise HTTPException(415, f"the Content-Type must be {wanted}")


def _reasons(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {**BEHIND_TOKEN, **answers({status: _REASONS[status] for status in statuses})}


def _add_links(response: Response, hub: Hub) -> None:
    """Name STUN and TURN servers to the other side (RFC 9725, 4.6)."""
    for link in hub.connections.servers.links():
        response.headers.append("Link", link)
