"""The bounded hand-over between two stages, each on its own thread.

Recorded material waits (no frame is ever lost); live material lets the newest win (what is superseded is counted).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Policy = Literal["wait", "newest"]


class FrameBuffer(Generic[T]):
    """First in, first out, between one putting and one taking thread."""

    def __init__(self, capacity: int, policy: Policy, on_superseded: Callable[[T], None] | None = None) -> None:
        """An empty buffer.

        Args:
            capacity: the most items held, at least 1.
            policy: at capacity, `wait` until one is taken, or let the `newest` take the place of the oldest.
            on_superseded: called on the putting thread with an item that a newer one replaced.

        Raises:
            ValueError: the capacity is less than 1.
        """
        if capacity < 1:
            raise ValueError(f"capacity: expected 1 or more, got {capacity}")
        self._capacity = capacity
        self._policy = policy
        self._on_superseded = on_superseded
        self._items: deque[T] = deque()
        self._condition = threading.Condition()
        self._ended = False
        self._aborted = False

    def put(self, item: T) -> bool:
        """Hand an item over; False where the taking side is gone and the item was not taken.

        Waits under the policy `wait` while the buffer is full.
        """
        superseded: T | None = None
        with self._condition:
            if self._policy == "wait":
                self._condition.wait_for(lambda: len(self._items) < self._capacity or self._aborted)
            if self._aborted:
                return False
            if len(self._items) == self._capacity:
                superseded = self._items.popleft()
            self._items.append(item)
            self._condition.notify_all()
        if superseded is not None and self._on_superseded is not None:
            self._on_superseded(superseded)
        return True

    def end(self) -> None:
        """Say that nothing more comes: the taking side gets what is held, then its iteration ends."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def abort(self) -> list[T]:
        """Wake both sides and end at once; returns what was held and will never be taken."""
        with self._condition:
            self._aborted = self._ended = True
            left = list(self._items)
            self._items.clear()
            self._condition.notify_all()
            return left

    def take(self, timeout_seconds: float | None = None) -> T | None:
        """The next item; waits for it while the buffer is empty.

        Returns:
            None where none came in time, or where none will come any more: see `is_over`.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._items or self._ended, timeout_seconds)
            if not self._items:
                return None
            item = self._items.popleft()
            self._condition.notify_all()
            return item

    def take_held(self) -> list[T]:
        """All that is held, without waiting."""
        with self._condition:
            held = list(self._items)
            self._items.clear()
            self._condition.notify_all()
            return held

    @property
    def is_over(self) -> bool:
        """Whether nothing is held and nothing more comes."""
        with self._condition:
            return self._ended and not self._items

    def __iter__(self) -> Iterator[T]:
        """The items as they come, until `end` or `abort`; waits while the buffer is empty."""
        while (item := self.take()) is not None:
            yield item
