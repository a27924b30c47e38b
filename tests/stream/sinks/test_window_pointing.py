"""What a mouse in the window leaves for the model that is pointed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Undo
from stream.pointing.pointed_step import PointedStep
from stream.sinks.window_pointing import Stroke
from tests.stream.pointing.scene import ByColour
from tests.stream.sinks.test_window import Person

CLICK = Stroke((159, 119), (160, 120), is_beside=False)
"""On a picture of 640x480; a hand is never quite still."""
SAME_PLACE = (159.5 / 640, 119.5 / 480)
BESIDE = Stroke((159, 119), (159, 119), is_beside=True)
DRAWN = Stroke((99, 99), (199, 299), is_beside=False)


@dataclass
class Clicks(PointedStep):
    """Keeps what it is given."""

    clicks: list[Click] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(ByColour())

    def click(self, click: Click) -> None:
        self.clicks.append(click)


@pytest.fixture
def clicks() -> Clicks:
    return Clicks()


@pytest.fixture
def person(tmp_path: Path, clicks: Clicks) -> Person:
    person = Person(tmp_path)
    person.controls.hear([clicks])
    person.feed(100, pts=2_500_000)
    person.look()
    return person


def stroke(person: Person, *strokes: Stroke) -> None:
    person.screen.mouse += strokes
    assert person.sink.attend(person.controls, 0)


def test_a_click_means_the_picture_on_the_screen(person: Person, clicks: Clicks) -> None:
    stroke(person, CLICK)
    assert clicks.clicks == [Point(2.5, SAME_PLACE)]
    # A newer picture has been written, but the person sees the old one while it is paused.
    person.press(" ")
    person.feed(120, pts=4_000_000)
    stroke(person, CLICK)
    assert clicks.clicks[-1] == Point(2.5, SAME_PLACE, number=NEWEST)


def test_further_clicks_are_about_the_same_object_until_another_is_begun(person: Person, clicks: Clicks) -> None:
    stroke(person, CLICK, CLICK, BESIDE)
    person.press("o")
    stroke(person, CLICK)
    assert [(click.number, click.is_on) for click in clicks.clicks if isinstance(click, Point)] == [
        (None, True),
        (NEWEST, True),
        (NEWEST, False),
        (None, True),
    ]


def test_a_drag_is_a_box_around_a_new_object(person: Person, clicks: Clicks) -> None:
    stroke(person, DRAWN, CLICK)
    corners = ((99.5 / 640, 99.5 / 480), (199.5 / 640, 299.5 / 480))
    assert clicks.clicks == [Box(2.5, corners), Point(2.5, SAME_PLACE, number=NEWEST)]


def test_keys_take_back_and_clear(person: Person, clicks: Clicks) -> None:
    stroke(person, CLICK)
    person.press("u", "c")
    stroke(person, CLICK)
    assert clicks.clicks[1:] == [Undo(), Clear(), Point(2.5, SAME_PLACE)]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        # The first click has to be on something.
        (BESIDE, "say first where the object is"),
        # The window was made larger than the picture.
        (Stroke((900, 10), (900, 10), is_beside=False), "outside the picture"),
    ],
)
def test_what_means_nothing_is_said(person: Person, clicks: Clicks, what: Stroke, says: str) -> None:
    stroke(person, what)
    assert clicks.clicks == []
    assert person.controls.notice is not None
    assert says in person.controls.notice.text


def test_the_help_tells_of_clicks_where_they_are_answered(person: Person, tmp_path: Path) -> None:
    other = Person(tmp_path)
    other.feed(100, pts=2_500_000)
    for one in (person, other):
        one.press("?")
    assert (person.look() != other.look()).any()


def test_without_a_model_that_answers_a_click_is_nothing(tmp_path: Path) -> None:
    person = Person(tmp_path)
    person.feed(100)
    person.look()
    stroke(person, CLICK)
    unsaid = person.controls.notice
    person.press("o")
    said = person.controls.notice
    assert unsaid is None
    assert said is not None
    assert "slim-sam" in said.text
