"""Lets the pictures of a playlist come by their own clock (reader thread of a connection).

A live playlist (HLS) is fetched in segments of some seconds, all of whose pictures are there at once. Where the newest
wins, a viewer would see one picture a segment.
"""

from __future__ import annotations

EARLIEST_SECONDS = 1.0
"""A picture that is further ahead than this: the clock has jumped."""

LATEST_SECONDS = 0.5
"""A picture that is further behind than this: the network stalled, and playback stays behind by as much."""


class Pacer:
    """Says how long a picture has to wait; begins anew after a jump or a stall."""

    def __init__(self) -> None:
        self._begin_seconds: float | None = None

    def wait_seconds(self, media_seconds: float, now_seconds: float) -> float:
        """Seconds until the picture is due, 0 where it is due or overdue.

        Args:
            media_seconds: the picture's presentation time.
            now_seconds: on a monotonic clock.
        """
        if self._begin_seconds is not None:
            ahead = self._begin_seconds + media_seconds - now_seconds
            if -LATEST_SECONDS <= ahead <= EARLIEST_SECONDS:
                return max(ahead, 0.0)
        self._begin_seconds = now_seconds - media_seconds
        return 0.0
