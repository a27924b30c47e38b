"""A page at its sketchpad, as far as the server knows one: sends strokes, hears guesses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.stream.web.conftest import Client

PATH = "/api/sketchpad/pen"


class Pen:
    """Speaks the sketchpad's messages."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.seq = 0

    def say(self, **message: Any) -> None:
        self.seq += 1
        self.line.send(json.dumps({"seq": self.seq, **message}))

    def draw(self, stroke: int, points: NDArray[np.floating] | Sequence[Sequence[float]]) -> None:
        """A stroke of points (N, 2)."""
        x, y = np.asarray(points, float).T.tolist()
        self.say(type="add", stroke=stroke, x=x, y=y, width=[9.0] * len(x))

    def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.line.recv(timeout=10))
        return message

    def rest(self) -> list[dict[str, Any]]:
        """All that comes until the server closes the line."""
        heard = []
        with suppress(ConnectionClosed):
            while True:
                heard.append(self.hear())
        return heard

    def hear_of(self, seq: int | None = None) -> list[str]:
        """The labels that are guessed of everything up to a message, the newest where none is named."""
        while (message := self.hear()).get("seq", 0) < (seq or self.seq):
            pass
        return [guess["label"] for guess in message["guesses"]]


@contextmanager
def at_pad(client: Client, **headers: str) -> Iterator[Pen]:
    """A page that has come, and goes at the end of the block."""
    with connect(f"ws://127.0.0.1:{client.port}{PATH}", additional_headers=headers, close_timeout=5) as line:
        yield Pen(line)


def drawings(test_data: Path, name: str, count: int) -> list[list[NDArray[np.float64]]]:
    """The first drawings of a category, each fitted into the middle of the sheet; strokes (N, 2)."""
    lines = (test_data / "quickdraw/strokes" / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()[:count]
    fitted = []
    for line in lines:
        strokes = [np.array(stroke[:2], float).T for stroke in json.loads(line)["drawing"]]
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), (points.max(axis=0) - points.min(axis=0)).max()
        fitted.append([(stroke - low) / extent * 800 + 100 for stroke in strokes])
    return fitted
