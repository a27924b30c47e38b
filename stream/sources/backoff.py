"""How long a source that lost its camera waits before it tries again (capture thread)."""

from __future__ import annotations

FIRST_SECONDS = 0.25
GROWTH = 1.5
LONGEST_SECONDS = 30.0
JITTER = 0.5
"""The part of a wait that chance decides, so that a server that comes back is not asked by everybody at once."""


def wait_seconds(attempt: int, chance: float) -> float:
    """Seconds to wait before an attempt: at most a quarter of a second first, then growing to half a minute.

    Exponential, with the jitter laid over the latter half (the "equal jitter" of M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015). The growth is slow on purpose: the wait is never longer than half the time
    for which the source has been tried, plus the first wait, so a source that was gone briefly is back quickly.

    Args:
        attempt: 1, 2, 3, ... since the loss.
        chance: 0 to 1, new for each attempt.
    """
    longest = LONGEST_SECONDS
    # Powers of a great many attempts overflow.
    if attempt < 100:
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * GROWTH ** (attempt - 1))
    return longest * (1 - JITTER * (1 - chance))
