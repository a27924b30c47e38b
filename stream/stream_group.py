"""Runs several pipelines at the same time and attends to all of them from one thread, the command's main thread.

Live streams all begin at once: a camera waits for nobody. Recordings take turns, a few at a time: each decodes and
encodes, and more of them than there are cores would only take memory.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream.pipeline import Pipeline

LEAST_AT_ONCE = 2

_WAKE_SECONDS = 0.2
_ROUND_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class GroupListener:
    """Who is told of the streams of a group, on the group's thread.

    Attributes:
        begins: a stream is about to begin; returns what to call five times a second while it runs.
        ended: a stream has ended, with what broke it or None; its files are closed.
    """

    begins: Callable[[str, Pipeline], Callable[[], None]]
    ended: Callable[[str, Exception | None], None]


class StreamGroup:
    """Pipelines by name, which run once; one that fails leaves the others alone."""

    def __init__(
        self, pipelines: Mapping[str, Pipeline], listener: GroupListener, *, recordings_at_once: int | None = None
    ) -> None:
        """Nothing begins yet.

        Args:
            pipelines: by stream name, in the order in which they begin.
            listener: told of each.
            recordings_at_once: so many recorded streams run at the same time; one a core where it is None.
        """
        self._pipelines = pipelines
        self._listener = listener
        self._recordings_at_once = recordings_at_once or max(LEAST_AT_ONCE, os.cpu_count() or 1)
        self._waiting = list(pipelines)
        self._open: list[str] = []
        self._following: dict[str, Callable[[], None]] = {}
        # Filled by the pipelines' threads; no lock of it is ever held while a signal's handler runs.
        self._over: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._is_stopping = False

    def run(self) -> None:
        """Run all to their ends, or to `stop`; every pipeline that began is finished when this returns or raises.

        Raises:
            SinkError: a sink of a stream that was to begin at once cannot be opened; then none has begun.
        """
        try:
            first = self._next_ones()
            for name in first:
                self._open_sinks(name)
            for name in first:
                self._start(name)
            while self._following:
                self._attend()
                self._end_what_is_over()
                # One that cannot begin leaves its turn to another.
                while names := self._next_ones():
                    for name in names:
                        self._begin(name)
        finally:
            # Reached early where something of the above raises, or the interpreter interrupts this thread.
            for name in self._open:
                self._pipelines[name].stop()
            for name in self._open:
                self._pipelines[name].finish()

    def stop(self) -> None:
        """End the capture of all, so that their files are finished; what waits does not begin. For signal handlers."""
        self._is_stopping = True
        for pipeline in self._pipelines.values():
            pipeline.stop()

    def _next_ones(self) -> list[str]:
        """Takes those of the waiting that may begin now."""
        if self._is_stopping:
            return []
        free = self._recordings_at_once - sum(self._is_recorded(name) for name in self._following)
        chosen = []
        for name in self._waiting:
            if not self._is_recorded(name):
                chosen.append(name)
            elif free > 0:
                chosen.append(name)
                free -= 1
        self._waiting = [name for name in self._waiting if name not in chosen]
        return chosen

    def _is_recorded(self, name: str) -> bool:
        return not self._pipelines[name].info.is_live

    def _begin(self, name: str) -> None:
        try:
            self._open_sinks(name)
        except Exception as error:  # of this stream alone: others are under way
            self._listener.ended(name, error)
        else:
            self._start(name)

    def _open_sinks(self, name: str) -> None:
        self._pipelines[name].open()
        self._open.append(name)

    def _start(self, name: str) -> None:
        pipeline = self._pipelines[name]
        self._following[name] = self._listener.begins(name, pipeline)
        pipeline.start(lambda: self._over.put(name))

    def _attend(self) -> None:
        """Let every sink do what belongs on this thread, in short turns, until the streams are to be followed again."""
        until = time.monotonic() + _WAKE_SECONDS
        while (left := until - time.monotonic()) > 0 and self._over.empty():
            # All windows have to move, not one after the other.
            share = left if len(self._following) == 1 else _ROUND_SECONDS / len(self._following)
            attended = [self._pipelines[name].attend(share) for name in self._following]
            if not any(attended):
                self._wait(left)
        for follow in self._following.values():
            follow()

    def _wait(self, seconds: float) -> None:
        try:
            self._over.put(self._over.get(timeout=seconds))
        except queue.Empty:
            return

    def _end_what_is_over(self) -> None:
        while not self._over.empty():
            name = self._over.get()
            failure = self._pipelines[name].finish()
            self._open.remove(name)
            del self._following[name]
            if failure is not None and not isinstance(failure, Exception):
                raise failure
            self._listener.ended(name, failure)
