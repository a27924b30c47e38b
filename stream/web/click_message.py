"""What a page says on the data channel when somebody points at something (loop's thread)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.errors import PromptError
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Remove, Undo

LONGEST_CLICK = 512
_Share = Annotated[float, Field(allow_inf_nan=False)]
_Place = tuple[_Share, _Share]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Point(_Message):
    type: Literal["point"]
    pts: _Share
    at: _Place
    on: bool = True
    object: int | Literal["new", "last"] = "new"


class _Box(_Message):
    type: Literal["box"]
    pts: _Share
    corners: tuple[_Place, _Place]


class _Remove(_Message):
    type: Literal["remove"]
    object: int


class _Simple(_Message):
    type: Literal["undo", "clear"]


_MESSAGE: TypeAdapter[_Point | _Box | _Remove | _Simple] = TypeAdapter(
    Annotated[_Point | _Box | _Remove | _Simple, Field(discriminator="type")]
)
TYPES = frozenset({"point", "box", "remove", "undo", "clear"})


def read_click(content: Any) -> Click:
    """The click that a message of one of `TYPES` means.

    Raises:
        PromptError: it is malformed, or means nothing that could be in a picture.
    """
    try:
        message = _MESSAGE.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise PromptError(f"point: {where}: {first['msg']}") from error
    match message:
        case _Point(pts=pts, at=at, on=on, object=number):
            return Point(pts, at, on, {"new": None, "last": NEWEST}[number] if isinstance(number, str) else number)
        case _Box(pts=pts, corners=corners):
            return Box(pts, corners)
        case _Remove(object=number):
            return Remove(number)
        case _Simple(type="undo"):
            return Undo()
        case _:
            return Clear()
