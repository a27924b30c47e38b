"""How long a source that lost its camera waits before each attempt, and for its outcome (capture thread)."""

from __future__ import annotations

FIRST_SECONDS = 0.25
GROWTH = 1.5
LONGEST_SECONDS = 30.0
JITTER = 0.5
"""The part of a wait that chance decides, so that a server that comes back is not asked by everybody at once."""

LONGEST_AFTER_SILENCE_SECONDS = 1.0
"""After an attempt that was met with silence, which has lasted seconds itself: a server that was frozen gives no sign
when it goes on, so that it is listened to more than it is left alone."""

LEAST_LIFE_SECONDS = 1.0
"""A server that ends every connection after a moment is not called more often than so."""

LEAST_PATIENCE_SECONDS = 2.0
IMPATIENT_ATTEMPTS = 3


def wait_seconds(attempt: int, chance: float) -> float:
    """Seconds to wait before an attempt: at most a quarter of a second first, then growing to half a minute.

    Exponential, with the jitter laid over the latter half (the "equal jitter" of M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015). The growth is slow on purpose: the wait is never longer than half the time
    for which the source has been tried, plus the first wait, so a source that was gone briefly is back quickly.

    Args:
        attempt: 1, 2, 3, ... since the loss.
        chance: 0 to 1, new for each attempt.
    """
    # Powers of a great many attempts overflow.
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * GROWTH ** min(attempt - 1, 100))
    return longest * (1 - JITTER * (1 - chance))


def first_wait_seconds(life_seconds: float, chance: float) -> float:
    """Seconds to wait before the first attempt, after a connection that gave pictures for so long."""
    return max(wait_seconds(1, chance), LEAST_LIFE_SECONDS - life_seconds)


def patience_seconds(attempt: int, usual_seconds: float, most_seconds: float) -> float:
    """Seconds that an attempt may take until there is a picture.

    A server that takes the call and then says nothing, or nonsense, must not hold up the next attempt for as long as
    the slowest camera needs. So three attempts get twice what this camera needed when all was well, later ones more.

    Args:
        attempt: 1, 2, 3, ... since the loss.
        usual_seconds: from connecting to the first picture when the source was opened.
        most_seconds: what the user allows.
    """
    patience = max(LEAST_PATIENCE_SECONDS, 2 * usual_seconds)
    return min(most_seconds, patience * GROWTH ** min(max(0, attempt - IMPATIENT_ATTEMPTS), 100))
