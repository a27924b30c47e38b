"""What pages may say when somebody points at something, and what is refused."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from models.errors import PromptError
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Remove, Undo
from stream.web.click_routes import Message, click_of

MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])
POINT = {"type": "point", "pts_seconds": 1.5, "at": [0.25, 0.75]}


@pytest.mark.parametrize(
    ("content", "click"),
    [
        (POINT, Point(1.5, (0.25, 0.75))),
        (POINT | {"object": "new"}, Point(1.5, (0.25, 0.75))),
        (POINT | {"object": "last", "on": False}, Point(1.5, (0.25, 0.75), is_on=False, number=NEWEST)),
        (POINT | {"object": 3}, Point(1.5, (0.25, 0.75), number=3)),
        ({"type": "box", "pts_seconds": 0, "corners": [[0, 0], [1, 1]]}, Box(0.0, ((0.0, 0.0), (1.0, 1.0)))),
        ({"type": "remove", "object": 2}, Remove(2)),
        ({"type": "undo"}, Undo()),
        ({"type": "clear"}, Clear()),
    ],
)
def test_messages_are_clicks(content: dict[str, Any], click: Click) -> None:
    assert click_of(MESSAGES.validate_python(content)) == click


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"type": "draw"},
        {"type": "point"},
        POINT | {"at": [0.5]},
        POINT | {"at": [0.5, "x"]},
        POINT | {"at": [1.5, 0.5]},
        POINT | {"at": [0.5, float("nan")]},
        POINT | {"pts_seconds": float("inf")},
        POINT | {"object": "old"},
        POINT | {"more": 1},
        POINT | {"on": False},
        {"type": "box", "pts_seconds": 0, "corners": [[0.5, 0.5], [0.5, 0.9]]},
        {"type": "remove"},
        ["point"],
        7,
    ],
    ids=repr,
)
def test_what_means_nothing_is_refused(content: Any) -> None:
    with pytest.raises((PromptError, ValidationError)):
        click_of(MESSAGES.validate_python(content))
