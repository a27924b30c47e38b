"""One graph for several streams: whoever wants it run waits for a turn, and those who wait alike are run in one batch.

Called on the infer threads of all streams that share a model; there is no thread of its own. A thread that finds a turn
free runs what waits longest, with what of the rest fits into one batch with it; the others find their answers ready.
Nobody waits for a batch to fill. A thread has one request at most, so that what waits is bounded by the streams, and
turns go round: a fast stream's next request stands behind those of all others.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Feeds = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]


class SharedInference:
    """Runs a graph for many threads; it is called as the graph is."""

    def __init__(self, run: Callable[[Feeds], Outputs], *, turns: int = 1, most_rows: int = 1) -> None:
        """Nothing runs yet.

        Args:
            run: the graph: outputs by name for inputs by name; safe from several threads.
            turns: how many runs may go on at the same time.
            most_rows: at most so many pictures in a batch, along the first axis of every input and output; what one
                thread asks for is never divided. 1 makes no batches.
        """
        self._run = run
        self._turns = turns
        self._most_rows = most_rows
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._running = 0

    def __call__(self, feeds: Feeds) -> Outputs:
        """The outputs for these inputs, as the graph alone would give them.

        Raises:
            ModelError: the graph failed on these inputs; what others have asked for fails nobody else.
        """
        mine = _Request(feeds)
        with self._changed:
            self._waiting.append(mine)
        while batch := self._next_batch(mine):
            self._answer(batch)
        return mine.outputs()

    def _next_batch(self, mine: _Request) -> list[_Request]:
        """What is to be run now on this thread; empty once `mine` has been answered."""
        with self._changed:
            self._changed.wait_for(lambda: mine.is_answered or (mine in self._waiting and self._running < self._turns))
            if mine.is_answered:
                return []
            self._running += 1
            first = self._waiting.popleft()
            batch, rows = [first], first.rows
            for other in list(self._waiting):
                if other.kind == first.kind and rows + other.rows <= self._most_rows:
                    self._waiting.remove(other)
                    batch.append(other)
                    rows += other.rows
            return batch

    def _answer(self, batch: list[_Request]) -> None:
        try:
            if len(batch) == 1 or not self._answered_together(batch):
                for request in batch:
                    request.answer(self._run)
        finally:
            with self._changed:
                for request in batch:
                    request.is_answered = True
                self._running -= 1
                self._changed.notify_all()

    def _answered_together(self, batch: list[_Request]) -> bool:
        """Run all in one; False where that fails: then each is run alone, so that it fails only who is to blame."""
        names = batch[0].feeds
        try:
            outputs = self._run({name: np.concatenate([request.feeds[name] for request in batch]) for name in names})
        except Exception:  # said of each alone
            return False
        start = 0
        for request in batch:
            end = start + request.rows
            request.found = {name: values[start:end] for name, values in outputs.items()}
            start = end
        return True


class _Request:
    """What one thread wants run.

    Attributes:
        feeds: inputs by name.
        rows: how many pictures they are.
        kind: what requests have in common that fit into one batch.
        found: the outputs by name; None until they are there.
        is_answered: whether outputs or error are there.
    """

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        self.rows = len(next(iter(feeds.values())))
        self.kind = tuple((name, values.shape[1:], values.dtype) for name, values in feeds.items())
        self.found: Outputs | None = None
        self.is_answered = False
        self._error: BaseException | None = None

    def answer(self, run: Callable[[Feeds], Outputs]) -> None:
        try:
            self.found = run(self.feeds)
        except BaseException as error:  # raised on the thread that asked
            self._error = error

    def outputs(self) -> Outputs:
        if self.found is None:
            raise self._error or RuntimeError("a request was left without an answer")
        return self.found
