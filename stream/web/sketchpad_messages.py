"""What a sketchpad's page and the server say to each other, as JSON over a WebSocket (loop's thread).

The page numbers its messages; a guess names the last one that it knows of, so that the page can tell what it has seen.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from models.results import SketchGuess
from stream.web.sketchpad_drawing import MOST_STROKES, SIDE, WIDEST, Drawing, Points

MOST_POINTS_AT_ONCE = 1000

_LONGEST_REASON = 200

_Number = Annotated[int, Field(ge=0, lt=2**31)]
_Place = Annotated[float, Field(ge=0, le=SIDE, allow_inf_nan=False)]
_Width = Annotated[float, Field(gt=0, le=WIDEST, allow_inf_nan=False)]
_SOME = Field(min_length=1, max_length=MOST_POINTS_AT_ONCE)


class MessageError(Exception):
    """A message is not one of those that a page sends."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    seq: _Number
    """Counts the page's messages."""


class Add(_Message):
    """The pen has gone on: points of a stroke, which begins with them where there is none of this number."""

    type: Literal["add"]
    stroke: _Number
    x: Annotated[list[_Place], _SOME]
    y: Annotated[list[_Place], _SOME]
    width: Annotated[list[_Width], _SOME]

    @model_validator(mode="after")
    def _are_points(self) -> Self:
        if not len(self.x) == len(self.y) == len(self.width):
            raise ValueError("x, y and width differ in length")
        return self

    def points(self) -> Points:
        """The points as an array."""
        return np.array([self.x, self.y, self.width], np.float32).T


class Remove(_Message):
    """Strokes were taken back, or erased."""

    type: Literal["remove"]
    strokes: Annotated[list[_Number], Field(max_length=MOST_STROKES)]


class Clear(_Message):
    """The sheet is blank again."""

    type: Literal["clear"]


class Choose(_Message):
    """Another model shall guess."""

    type: Literal["model"]
    name: Annotated[str, Field(max_length=200)]


class Share(_Message):
    """Whether others may watch."""

    type: Literal["share"]
    is_on: bool


Said = Add | Remove | Clear | Choose | Share
_ANY: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="type")])


def read_message(text: str) -> Said:
    """What the page says.

    Raises:
        MessageError: nothing that a page would say; tells what is wrong with it in a few words.
    """
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"][:4])
        what = first["msg"][:_LONGEST_REASON]
        raise MessageError(f"{place}: {what}" if place else what) from error


def changed(drawing: Drawing, said: Add | Remove | Clear) -> Drawing:
    """The drawing after a message.

    Raises:
        DrawingError: it would be too large.
    """
    if isinstance(said, Add):
        return drawing.with_points(said.stroke, said.points())
    return drawing.without(said.strokes) if isinstance(said, Remove) else Drawing()


def guesses_message(seq: int, model: str, guess: SketchGuess) -> dict[str, Any]:
    """What the server answers: the best guesses at everything up to the page's message `seq`, best first."""
    pairs = zip(guess.labels, guess.scores.tolist(), strict=True)
    guesses = [{"label": label, "score": round(score, 4)} for label, score in pairs]
    return {"type": "guesses", "seq": seq, "model": model, "guesses": guesses}
