from __future__ import annotations

import pytest

from stream.web.keyframes import KeyframeWishes

MS = 1_000_000


@pytest.mark.parametrize(
    ("events", "granted_ms"),
    [
        # Nobody asks.
        ([("take", 0), ("take", 33)], []),
        # The first wish is granted at once, and only once.
        ([("ask", 0), ("take", 5), ("take", 38)], [5]),
        # Three viewers in one picture's time are one wish.
        ([("ask", 0), ("ask", 1), ("ask", 2), ("take", 5), ("take", 38)], [5]),
        # The next wish has to wait until a second after the last keyframe, and is not forgotten.
        ([("ask", 0), ("take", 5), ("ask", 400), ("take", 500), ("take", 1004), ("take", 1005)], [5, 1005]),
        # A viewer who asks for one with every picture gets one a second.
        ([event for ms in range(0, 3000, 100) for event in (("ask", ms), ("take", ms))], [0, 1000, 2000]),
    ],
)
def test_one_keyframe_a_second_at_most_and_no_wish_lost(events: list[tuple[str, int]], granted_ms: list[int]) -> None:
    wishes = KeyframeWishes()
    granted = []
    for what, ms in events:
        if what == "ask":
            wishes.ask()
        elif wishes.take(ms * MS):
            granted.append(ms)
    assert granted == granted_ms
