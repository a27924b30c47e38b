"""The sketchpad's line, as a page speaks it to a running server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stream.web.sketchpad_share import MOST_SHARED
from tests.stream.web.conftest import PATTERN, Client, Serve
from tests.stream.web.pen import PATH, Pen, at_pad, drawings

TOKEN = "0123456789abcdef"
DOT = {"type": "add", "stroke": 0, "x": [500], "y": [500], "width": [9]}


def names(client: Client) -> list[str]:
    return [stream["name"] for stream in client.streams()]


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another thread does, for ten seconds at most."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["cat", "house", "star"])
def test_drawings_are_named_as_their_makers_were_asked_to_draw_them(client: Client, test_data: Path, name: str) -> None:
    first = []
    for strokes in drawings(test_data, name, 5):
        with at_pad(client) as pen:
            for number, stroke in enumerate(strokes):
                pen.draw(number, stroke[:900])
            guesses = pen.hear_of()
            assert len(guesses) == 5
            first.append(guesses[0])
    assert first.count(name) >= 4


def test_what_is_taken_away_is_guessed_at_no_more(client: Client, test_data: Path) -> None:
    (cat,), (house,) = drawings(test_data, "cat", 1), drawings(test_data, "house", 1)
    with at_pad(client) as pen:
        for number, stroke in enumerate(cat):
            pen.draw(number, stroke)
        assert pen.hear_of()[0] == "cat"
        pen.say(type="remove", strokes=[*range(len(cat)), 7000])
        assert pen.hear_of() == []
        for number, stroke in enumerate(house):
            pen.draw(number, stroke)
        assert pen.hear_of()[0] == "house"
        pen.say(type="clear")
        assert pen.hear_of() == []


def test_another_model_guesses_among_other_things(client: Client, test_data: Path) -> None:
    models = json.loads(client.ask("GET", "/api/sketchpad").body)
    assert [model["name"] for model in models[:2]] == ["quickdraw-32", "quickdraw-345"]
    assert [len(model["labels"]) for model in models[:2]] == [32, 345]
    (helicopter,) = drawings(test_data, "helicopter", 1)
    with at_pad(client) as pen:
        for number, stroke in enumerate(helicopter):
            pen.draw(number, stroke)
        assert "helicopter" not in pen.hear_of()
        pen.say(type="model", name="quickdraw-345")
        assert "helicopter" in pen.hear_of()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        # No JSON, or none of ours.
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[" * 10_000, "Invalid JSON"),
        ("null", "should be an object"),
        ('{"seq": 1}', "discriminator"),
        ('{"seq": 1, "type": "dance"}', "does not match"),
        ('{"type": "clear"}', "clear.seq: Field required"),
        ('{"seq": -1, "type": "clear"}', "greater than or equal to 0"),
        ('{"seq": 1, "type": "clear", "more": 1}', "clear.more"),
        # Points that are none.
        ({**DOT, "x": [float("nan")]}, "add.x.0"),
        ({**DOT, "y": [float("inf")]}, "add.y.0"),
        ({**DOT, "x": [1000.1]}, "less than or equal to 1000"),
        ({**DOT, "y": [-0.1]}, "greater than or equal to 0"),
        ({**DOT, "width": [0]}, "greater than 0"),
        ({**DOT, "width": [101]}, "less than or equal to 100"),
        ({**DOT, "x": ["5"]}, "valid number"),
        ({**DOT, "x": [5, 6]}, "differ in length"),
        ({**DOT, "x": [], "y": [], "width": []}, "at least 1 item"),
        ({**DOT, "x": [5] * 1001, "y": [5] * 1001, "width": [5] * 1001}, "at most 1000 items"),
        ({**DOT, "stroke": -1}, "add.stroke"),
        ({**DOT, "stroke": 1.5}, "add.stroke"),
        # Wishes that cannot be met.
        ({"type": "model", "name": "../../etc/passwd"}, "no model of this name"),
        ({"type": "remove", "strokes": list(range(501))}, "at most 500 items"),
        ({"type": "share", "is_on": "yes"}, "share.is_on"),
    ],
)
def test_what_no_page_says_is_refused_with_a_reason(client: Client, message: Any, reason: str) -> None:
    with at_pad(client) as pen:
        pen.line.send(message if isinstance(message, str) else json.dumps({"seq": 1, **message}))
        refused = pen.hear()
        assert refused["type"] == "refused"
        assert reason in refused["reason"]
        assert (pen.rest(), pen.line.close_code) == ([], 1008)
    # The next page is served as if nothing had been.
    with at_pad(client) as pen:
        pen.draw(0, [[5, 5]])
        assert len(pen.hear_of()) == 5


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x00\x01", 1008),  # no text
        ("x" * 70_000, 1009),  # RFC 6455: a message that is too big
    ],
)
def test_messages_of_other_kinds_end_the_line(client: Client, content: str | bytes, code: int) -> None:
    with at_pad(client) as pen:
        pen.line.send(content)
        pen.rest()
        assert pen.line.close_code == code


def test_a_drawing_that_grows_for_ever_is_ended(client: Client) -> None:
    with at_pad(client) as pen:
        for stroke in range(501):
            pen.draw(stroke, [[1, 1]])
        assert "500 strokes" in pen.rest()[-1]["reason"]


def test_a_page_that_sends_without_end_is_sent_away(client: Client) -> None:
    with at_pad(client) as pen:
        with suppress(ConnectionClosed):
            for _ in range(3000):
                pen.say(type="clear")
        assert "messages a second" in pen.rest()[-1]["reason"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # A page of another site, which browsers name and do not keep from WebSockets.
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_get_no_line(client: Client, headers: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidStatus) as refused, at_pad(client, **headers):
        pass
    assert refused.value.response.status_code == status


def test_the_line_is_behind_the_token_and_the_page_is_not(serve: Serve) -> None:
    client = serve({"token": TOKEN})
    assert client.ask("GET", "/draw").status == 200
    assert client.ask("GET", "/api/sketchpad").status == 401
    with pytest.raises(InvalidStatus) as refused, at_pad(client):
        pass
    assert refused.value.response.status_code == 401
    with at_pad(client, Authorization=f"Bearer {TOKEN}") as pen:
        pen.draw(0, [[5, 5]])
        assert len(pen.hear_of()) == 5


def test_a_shared_pad_is_a_stream_while_its_player_likes(client: Client) -> None:
    with at_pad(client) as pen:
        pen.say(type="share", is_on=True)
        assert pen.hear() == {"type": "shared", "stream": "sketchpad"}
        pen.say(type="share", is_on=True)
        assert pen.hear()["stream"] == "sketchpad"
        assert names(client) == ["pattern", "sketchpad"]
        until(lambda: client.streams()[1]["figures"]["written"] > 2)
        listed = client.streams()[1]
        assert (listed["state"], listed["width"], listed["height"]) == ("running", 1080, 720)
        pen.say(type="share", is_on=False)
        assert pen.hear()["stream"] is None
        assert names(client) == ["pattern"]


def test_a_page_that_goes_in_the_middle_of_a_stroke_leaves_nothing_behind(serve: Serve) -> None:
    client = serve()
    before = {thread.name for thread in threading.enumerate()}
    with at_pad(client) as pen:
        pen.say(type="share", is_on=True)
        pen.draw(0, [[1, 1], [2, 2]])
        pen.hear_of()
        assert "mirilla-stream-sketchpad" in {thread.name for thread in threading.enumerate()}
        # Without a goodbye, as when the network is gone.
        pen.line.socket.close()
    until(lambda: names(client) == ["pattern"])
    until(lambda: {thread.name for thread in threading.enumerate()} - before <= {"mirilla-sketch_0"})


def test_no_more_pads_are_shown_than_may(client: Client) -> None:
    with ExitStack() as pads:
        pens: list[Pen] = [pads.enter_context(at_pad(client)) for _ in range(MOST_SHARED + 1)]
        heard = []
        for pen in pens:
            pen.say(type="share", is_on=True)
            heard.append(pen.hear()["stream"])
        assert heard == ["sketchpad", *(f"sketchpad-{number}" for number in range(2, MOST_SHARED + 1)), None]
    until(lambda: names(client) == ["pattern"])


def test_a_stream_of_the_configuration_keeps_its_name(serve: Serve) -> None:
    client = serve(sketchpad={"source": PATTERN})
    with at_pad(client) as pen:
        pen.say(type="share", is_on=True)
        assert pen.hear()["stream"] == "sketchpad-2"


def test_the_address_answers_no_plain_request(client: Client) -> None:
    assert client.ask("GET", PATH).status == 404
