"""The address at which pages say that somebody points at something (loop's thread)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Body, FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from models.errors import PromptError
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Remove, Undo
from stream.web.answers import BEHIND_TOKEN, answers
from stream.web.served_stream import ServedStream

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Place = tuple[_Number, _Number]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PointMessage(_Message):
    """A point: at which `pts_seconds`, as the data channel named the frame, and where in it, 0..1."""

    type: Literal["point"]
    pts_seconds: _Number
    at: _Place
    on: bool = True
    object: int | Literal["new", "last"] = "new"


class BoxMessage(_Message):
    """A box around a new object, between two corners."""

    type: Literal["box"]
    pts_seconds: _Number
    corners: tuple[_Place, _Place]


class RemoveMessage(_Message):
    """Follow an object no longer."""

    type: Literal["remove"]
    object: int


class UndoMessage(_Message):
    """Take back the last point or box."""

    type: Literal["undo"]


class ClearMessage(_Message):
    """Follow nothing any longer."""

    type: Literal["clear"]


Message = PointMessage | BoxMessage | RemoveMessage | UndoMessage | ClearMessage


def click_of(message: Message) -> Click:
    """What a message means.

    Raises:
        PromptError: nothing that could be in a picture.
    """
    match message:
        case PointMessage(pts_seconds=pts, at=at, on=on, object=number):
            return Point(pts, at, on, {"new": None, "last": NEWEST}[number] if isinstance(number, str) else number)
        case BoxMessage(pts_seconds=pts, corners=corners):
            return Box(pts, corners)
        case RemoveMessage(object=number):
            return Remove(number)
        case UndoMessage():
            return Undo()
        case ClearMessage():
            return Clear()


def add_click_routes(app: FastAPI, streams: Mapping[str, ServedStream]) -> None:
    """Let pages point at things in streams whose model answers to that."""
    refusals = answers(
        {
            404: "No stream of this name.",
            409: "The stream's models answer no clicks, or what was clicked on cannot be in a picture.",
        }
    )

    @app.post(
        "/api/streams/{stream}/clicks", status_code=202, response_class=Response, responses={**BEHIND_TOKEN, **refusals}
    )
    async def click(stream: str, message: Annotated[Message, Body(discriminator="type")]) -> Response:
        """Point at an object: it is cut out on the frame that was seen, and followed."""
        if stream not in streams:
            raise HTTPException(404, "there is no stream of this name")
        try:
            streams[stream].pipeline.controls.click(click_of(message))
        except PromptError as error:
            raise HTTPException(409, str(error)) from error
        return Response(status_code=202)
