"""One page at its sketchpad: hears of every stroke, and answers with guesses while the pen moves (loop's thread).

Two tasks a session: one listens, one asks the models and answers. Between them is no queue: what is drawn now is
guessed at when the guess before has been sent, so that a slow model or a slow line leaves guesses out and never
falls behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from models.errors import MirillaError
from models.results import SketchGuess
from stream.web.sketchpad_drawing import Drawing, DrawingError
from stream.web.sketchpad_guesser import Guesser
from stream.web.sketchpad_messages import Choose, MessageError, Share, changed, guesses_message, read_message

IDLE_SECONDS = 1800.0
"""A pad that nobody has drawn on for so long is let go; the page comes back when somebody does."""

MOST_MESSAGES = 600
MESSAGES_PER_SECOND = 300.0
"""A page sends one a picture of its screen, of which the fastest show 240 a second."""

_REFUSED = 1008
_BROKEN = 1011
_IDLE = 1001
_log = logging.getLogger("mirilla")


class Sharing(Protocol):
    """Shows a pad to others, as far as a session knows."""

    def begin(self, session: SketchpadSession) -> str | None:
        """Let others watch; the name of the stream, or None where as many are shown as may."""

    def end(self, session: SketchpadSession) -> None:
        """Let nobody watch; a pad that is not shown may be ended, too."""


class SketchpadSession:
    """What one page draws, and what is guessed of it.

    Attributes:
        drawing: as it is now; another value with every message.
        guess: the newest; None before the first.
        model: the name of the model that is asked.
    """

    def __init__(
        self, socket: WebSocket, guesser: Guesser, sharing: Sharing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """A blank sheet.

        Args:
            socket: not yet accepted.
            guesser: asked what the drawing is.
            sharing: shows it to others.
            clock: seconds; what the page may send is measured by it.
        """
        self.drawing = Drawing()
        self.guess: SketchGuess | None = None
        self.model = guesser.default
        self._socket = socket
        self._guesser = guesser
        self._sharing = sharing
        self._seq = 0
        self._changed = asyncio.Event()
        self._allowance = Allowance(clock)

    async def run(self) -> None:
        """Listen and answer until the page has gone, or is sent away."""
        await self._socket.accept()
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._answer())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (MessageError, DrawingError) as error:
            await self._send_away(_REFUSED, str(error))
        except TimeoutError:
            await self._send_away(_IDLE, "nothing was drawn for a long time")
        except MirillaError as error:
            _log.error("the sketchpad: %s", error)
            await self._send_away(_BROKEN, "the model failed; the server's log says why")
        except WebSocketDisconnect:
            _log.debug("a sketchpad went away")
        finally:
            self._sharing.end(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            if not self._allowance.takes_one():
                raise MessageError(f"more than {MESSAGES_PER_SECOND:.0f} messages a second")
            text = event.get("text")
            if text is None:
                raise MessageError("messages are text")
            await self._take(text)

    async def _take(self, text: str) -> None:
        said = read_message(text)
        self._seq = said.seq
        if isinstance(said, Share):
            await self._share(is_on=said.is_on)
            return
        if isinstance(said, Choose):
            if not self._guesser.knows(said.name):
                raise MessageError("there is no model of this name")
            self.model = said.name
        else:
            self.drawing = changed(self.drawing, said)
        self._changed.set()

    async def _share(self, *, is_on: bool) -> None:
        stream = None
        if is_on:
            stream = self._sharing.begin(self)
        else:
            self._sharing.end(self)
        await self._send({"type": "shared", "stream": stream})

    async def _answer(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            seq, model = self._seq, self.model
            self.guess = await self._guesser.guess(model, self.drawing)
            await self._send(guesses_message(seq, model, self.guess))

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message, ensure_ascii=False))

    async def _send_away(self, code: int, reason: str) -> None:
        """Say why, and close; a close frame's own reason is short."""
        try:
            await self._send({"type": "refused", "reason": reason})
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError):
            _log.debug("a sketchpad had gone before it was sent away")


class Allowance:
    """How much a page may still send: so many a second, and some at once (a token bucket)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """All of it is left; the clock counts seconds."""
        self._clock = clock
        self._left, self._at = float(MOST_MESSAGES), clock()

    def takes_one(self) -> bool:
        """Whether one more may come now; it is counted where it may."""
        now = self._clock()
        self._left = min(float(MOST_MESSAGES), self._left + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
