"""Overlaps, and which detection found which object, all worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.matching import MatchCounts, Objects, box_overlaps, count_matches, match_objects


@pytest.mark.parametrize(
    ("box", "other", "overlap"),
    [
        # the same box
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        # half of each: 50 of 150
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        # a quarter inside: 25 of 100
        ((0, 0, 10, 10), (0, 0, 5, 5), 0.25),
        # they meet at an edge
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        # apart in both directions: the product of two negative sides is no overlap
        ((0, 0, 10, 10), (20, 20, 30, 30), 0.0),
        # no area at all
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),
    ],
)
def test_overlap(box: tuple[int, ...], other: tuple[int, ...], overlap: float) -> None:
    assert box_overlaps(np.array([box], np.float32), np.array([other], np.float32))[0, 0] == pytest.approx(overlap)


def objects(*rows: tuple[float, float, float, float, int], crowd: tuple[bool, ...] | None = None) -> Objects:
    table = np.array(rows, np.float64).reshape(-1, 5)
    return Objects(table[:, :4], table[:, 4].astype(np.int64), None if crowd is None else np.array(crowd))


LEFT, RIGHT = (0, 0, 10, 10), (20, 0, 30, 10)


@pytest.mark.parametrize(
    ("found", "truth", "matches", "counts"),
    [
        # nothing on either side
        (objects(), objects(), [], MatchCounts(0, 0, 0)),
        # nothing found
        (objects(), objects((*LEFT, 1)), [], MatchCounts(0, 0, 1)),
        # nothing to find
        (objects((*LEFT, 1)), objects(), [-1], MatchCounts(0, 1, 0)),
        # each its own, in whatever order
        (objects((*RIGHT, 1), (*LEFT, 1)), objects((*LEFT, 1), (*RIGHT, 1)), [1, 0], MatchCounts(2, 0, 0)),
        # an object is found once: the surer detection has it
        (objects((*LEFT, 1), (*LEFT, 1)), objects((*LEFT, 1)), [0, -1], MatchCounts(1, 1, 0)),
        # the right place, the wrong class
        (objects((*LEFT, 2)), objects((*LEFT, 1)), [-1], MatchCounts(0, 1, 1)),
        # an overlap of exactly the least: 50 of 100
        (objects((0, 0, 10, 5, 1)), objects((*LEFT, 1)), [0], MatchCounts(1, 0, 0)),
        # a little less: 49 of 100
        (objects((0, 0, 10, 4.9, 1)), objects((*LEFT, 1)), [-1], MatchCounts(0, 1, 1)),
        # two within a crowd are neither right nor wrong, and the crowd is not missed; what lies beside it is wrong
        (
            objects((1, 1, 4, 4, 1), (5, 5, 9, 9, 1), (*RIGHT, 1)),
            objects((*LEFT, 1), crowd=(True,)),
            [-1, -1, -1],
            MatchCounts(0, 1, 0),
        ),
        # a crowd of another class excuses nothing
        (objects((1, 1, 4, 4, 2)), objects((*LEFT, 1), crowd=(True,)), [-1], MatchCounts(0, 1, 0)),
    ],
)
def test_matches(found: Objects, truth: Objects, matches: list[int], counts: MatchCounts) -> None:
    assert match_objects(found, truth, 0.5).tolist() == matches
    assert count_matches(found, truth, 0.5) == counts


def test_the_nearest_free_object_is_taken() -> None:
    found = objects((0, 0, 10, 10, 1), (1, 0, 11, 10, 1))
    truth = objects((2, 0, 12, 10, 1), (0, 0, 10, 10, 1))
    assert match_objects(found, truth, 0.5).tolist() == [1, 0]


def test_shares_of_counts() -> None:
    counts = MatchCounts(2, 1, 4) + MatchCounts(1, 0, 2)
    assert counts.precision == pytest.approx(0.75)
    assert counts.recall == pytest.approx(1 / 3)
    assert (MatchCounts().precision, MatchCounts().recall) == (None, None)
