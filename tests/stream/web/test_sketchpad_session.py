"""What one page draws, step by step: a scripted socket, a scripted model, a clock that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from models import load_model
from models.errors import ModelError
from models.results import SketchGuess
from stream.web import sketchpad_guesser
from stream.web.sketchpad_drawing import MOST_POINTS, MOST_STROKE_POINTS, MOST_STROKES, Drawing, DrawingError
from stream.web.sketchpad_guesser import Guesser
from stream.web.sketchpad_messages import MessageError, read_message
from stream.web.sketchpad_session import MESSAGES_PER_SECOND, MOST_MESSAGES, Allowance, SketchpadSession


def points(*places: tuple[float, float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([(x, y, 9) for x, y in places], np.float32)


class ScriptedSocket:
    """Hands over what it is given, and remembers what was sent."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.code: int | None = None

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send_text(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def close(self, code: int) -> None:
        self.code = code

    def say(self, **message: Any) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})


class ScriptedGuesser:
    """Guesses when it is told to, and remembers what it was asked."""

    default = "scripted"

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[int] = []
        self.may_answer = asyncio.Semaphore(0)
        self.error = error

    async def guess(self, model: str, drawing: Drawing) -> SketchGuess:
        assert model == "scripted"
        self.asked.append(drawing.point_count)
        await self.may_answer.acquire()
        if self.error is not None:
            raise self.error
        return SketchGuess("sketch_classification", np.array([0]), np.array([1.0], np.float32), ("cat",))


class ScriptedSharing:
    """Counts who is shown."""

    ended = 0

    def begin(self, session: SketchpadSession) -> str | None:  # noqa: ARG002 - the protocol's
        return "sketchpad"

    def end(self, session: SketchpadSession) -> None:  # noqa: ARG002 - the protocol's
        self.ended += 1


Test = Callable[[ScriptedSocket, ScriptedGuesser], Awaitable[None]]


def with_session(test: Test, error: Exception | None = None) -> ScriptedSharing:
    """Run a session beside a test; the page goes when the test ends."""
    sharing = ScriptedSharing()

    async def run() -> None:
        socket, guesser = ScriptedSocket(), ScriptedGuesser(error)
        session = SketchpadSession(cast("WebSocket", socket), cast("Guesser", guesser), sharing, lambda: 0.0)
        running = asyncio.create_task(session.run())
        await test(socket, guesser)
        socket.incoming.put_nowait({"type": "websocket.disconnect"})
        await asyncio.wait_for(running, 10)

    asyncio.run(run())
    assert sharing.ended == 1
    return sharing


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def add(socket: ScriptedSocket, seq: int) -> None:
    socket.say(type="add", seq=seq, stroke=0, x=[seq], y=[seq], width=[9])


def test_what_was_drawn_while_a_model_thought_is_guessed_at_once_and_as_a_whole() -> None:
    async def test(socket: ScriptedSocket, guesser: ScriptedGuesser) -> None:
        add(socket, 1)
        await settle()
        for seq in (2, 3, 4):
            add(socket, seq)
        await settle()
        assert guesser.asked == [1]
        guesser.may_answer.release()
        await settle()
        assert guesser.asked == [1, 4]
        guesser.may_answer.release()
        await settle()
        assert [message["seq"] for message in socket.sent] == [1, 4]
        assert socket.sent[0]["guesses"] == [{"label": "cat", "score": 1.0}]

    with_session(test)


def test_nothing_is_asked_while_nothing_changes() -> None:
    async def test(socket: ScriptedSocket, guesser: ScriptedGuesser) -> None:
        await settle()
        socket.say(type="share", seq=1, is_on=True)
        await settle()
        assert (guesser.asked, socket.sent) == ([], [{"type": "shared", "stream": "sketchpad"}])

    with_session(test)


def test_a_page_may_go_while_a_model_thinks() -> None:
    async def test(socket: ScriptedSocket, guesser: ScriptedGuesser) -> None:
        add(socket, 1)
        await settle()
        assert guesser.asked == [1]

    with_session(test)


def test_a_model_that_fails_ends_the_session_and_says_so() -> None:
    async def test(socket: ScriptedSocket, guesser: ScriptedGuesser) -> None:
        add(socket, 1)
        guesser.may_answer.release()
        await settle()
        assert socket.sent == [{"type": "refused", "reason": "the model failed; the server's log says why"}]
        assert socket.code == 1011

    with_session(test, ModelError("model: broken"))


def test_an_allowance_is_used_up_and_grows_again() -> None:
    now = [100.0]
    allowance = Allowance(lambda: now[0])
    assert sum(allowance.takes_one() for _ in range(MOST_MESSAGES + 50)) == MOST_MESSAGES
    now[0] += 10 / MESSAGES_PER_SECOND + 1e-6
    assert sum(allowance.takes_one() for _ in range(50)) == 10
    # However long nothing comes, no more is allowed at once.
    now[0] += 3600
    assert sum(allowance.takes_one() for _ in range(2 * MOST_MESSAGES)) == MOST_MESSAGES


def test_strokes_grow_piece_by_piece_and_come_back_in_their_order() -> None:
    drawing = Drawing().with_points(0, points((1, 1))).with_points(1, points((5, 5), (6, 6)))
    drawing = drawing.with_points(0, points((2, 2)))
    assert [path.tolist() for path in drawing.paths()] == [[[1, 1], [2, 2]], [[5, 5], [6, 6]]]
    assert drawing.point_count == 4
    # What was erased is sent anew when that is taken back.
    without = drawing.without([0, 99])
    assert [path.tolist() for path in without.paths()] == [[[5, 5], [6, 6]]]
    again = without.with_points(0, points((1, 1)))
    assert [len(path) for path in again.paths()] == [1, 2]
    assert (without.point_count, again.point_count) == (2, 3)
    assert drawing.point_count == 4, "a drawing is a value"


@pytest.mark.parametrize(
    ("stroke_count", "points_each", "reason"),
    [
        (MOST_STROKES + 1, 1, "strokes"),
        (1, MOST_STROKE_POINTS + 1, "a stroke has"),
        (MOST_POINTS // MOST_STROKE_POINTS + 1, MOST_STROKE_POINTS, f"{MOST_POINTS} points"),
    ],
)
def test_a_drawing_has_limits(stroke_count: int, points_each: int, reason: str) -> None:
    def grow(count: int) -> Drawing:
        drawing = Drawing()
        for number in range(count):
            drawing = drawing.with_points(number, np.zeros((points_each, 3), np.float32))
        return drawing

    with pytest.raises(DrawingError, match=reason):
        grow(stroke_count)
    if stroke_count > 1:
        assert len(grow(stroke_count - 1).paths()) == stroke_count - 1


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["add", "remove", "clear", "model", "share", "x"]) | VALUES},
    optional=dict.fromkeys(("seq", "stroke", "strokes", "x", "y", "width", "name", "is_on", "other"), VALUES),
)


@given(MESSAGES)
def test_any_json_is_a_message_or_is_refused(message: dict[str, Any]) -> None:
    with suppress(MessageError):
        assert read_message(json.dumps(message)).type == message["type"]


def test_a_model_that_a_stream_has_loaded_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the stream wants of it: here one class alone."""
    loaded = load_model("quickdraw-32", classes=["dog"], device="cpu")

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("loaded again")

    monkeypatch.setattr(sketchpad_guesser, "load_model", fail)
    guesser = Guesser([loaded, object()])
    drawing = Drawing().with_points(0, points((1, 1), (500, 500)))
    try:
        assert len(asyncio.run(guesser.guess("quickdraw-32", drawing))) == 5
        with pytest.raises(AssertionError, match="loaded again"):
            asyncio.run(guesser.guess("quickdraw-345", drawing))
    finally:
        guesser.close()
