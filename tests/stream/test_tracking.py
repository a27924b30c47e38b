"""Objects keep their ids: on scripted boxes whose ways are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.results import Detections
from stream.tracking import Tracker

FRAME_SECONDS = 0.04

Box = tuple[float, float, float, float]
Found = tuple[Box, float, int]


def detections(found: Sequence[Found]) -> Detections:
    """Objects as (box, score, class), best first as models give them."""
    best_first = sorted(found, key=lambda item: -item[1])
    boxes = np.array([box for box, _, _ in best_first], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in best_first], np.float32)
    return Detections(
        "object_detection", boxes, scores, np.array([c for *_, c in best_first], np.int64), ("cat", "dog")
    )


def at(x: float, y: float = 100.0, width: float = 40.0, height: float = 80.0) -> Box:
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def ids_by_frame(frames: Sequence[Sequence[Found]], seconds_a_frame: float = FRAME_SECONDS) -> list[dict[int, float]]:
    """For each frame, where on the x axis each id is."""
    tracker = Tracker(threshold=0.5)
    seen = []
    for index, found in enumerate(frames):
        result = tracker.update(detections(found), index * seconds_a_frame)
        assert result.track_ids is not None
        centres = (result.boxes_xyxy[:, 0] + result.boxes_xyxy[:, 2]) / 2
        seen.append(dict(zip(result.track_ids.tolist(), centres.tolist(), strict=True)))
    return seen


def test_an_object_that_moves_keeps_its_id() -> None:
    seen = ids_by_frame([[(at(100 + 6 * index), 0.9, 0)] for index in range(30)])
    assert seen == [{1: pytest.approx(100 + 6 * index)} for index in range(30)]


def test_objects_that_cross_keep_their_ids() -> None:
    # One walks right, one left, a little lower; at frame 20 they meet, with an overlap (IoU) of 0.6.
    frames = [[(at(100 + 5 * i, 100), 0.9, 0), (at(300 - 5 * i, 120), 0.8, 0)] for i in range(40)]
    seen = ids_by_frame(frames)
    for index, places in enumerate(seen):
        assert places == {1: pytest.approx(100 + 5 * index), 2: pytest.approx(300 - 5 * index)}


def test_an_object_hidden_for_a_few_frames_comes_back_as_itself_where_its_motion_led() -> None:
    hidden = range(20, 28)
    frames = [[] if index in hidden else [(at(100 + 5 * index), 0.9, 0)] for index in range(40)]
    seen = ids_by_frame(frames)
    # It has moved by its own width meanwhile: only the motion model finds it again.
    assert [list(places) for places in seen] == [[] if index in hidden else [1] for index in range(40)]


def test_an_object_hidden_for_long_is_another_one() -> None:
    frames: list[list[Found]] = [[(at(100), 0.9, 0)]] * 5 + [[]] * 50 + [[(at(100), 0.9, 0)]] * 2
    assert list(ids_by_frame(frames)[-1]) == [2]
    # In a slow stream fifty frames are too long, six are not, though they take 2.4 seconds more than a second.
    frames = [[(at(100), 0.9, 0)]] * 5 + [[]] * 4 + [[(at(100), 0.9, 0)]]
    assert list(ids_by_frame(frames, seconds_a_frame=0.6)[-1]) == [1]


def test_an_unsure_box_continues_a_track_and_begins_none() -> None:
    scores = [0.9, 0.8, 0.3, 0.2, 0.15, 0.7]
    frames = [[(at(100), score, 0), (at(400), 0.4, 0)] for score in scores]
    assert [list(places) for places in ids_by_frame(frames)] == [[1]] * 6


def test_a_box_seen_once_is_forgotten_at_once() -> None:
    frames: list[list[Found]] = [[(at(100), 0.9, 0)], [], [(at(100), 0.9, 0)], [(at(100), 0.9, 0)]]
    assert [list(places) for places in ids_by_frame(frames)] == [[1], [], [2], [2]]


def test_objects_are_matched_with_their_own_class_only() -> None:
    frames = [[(at(100), 0.9, 0)], [(at(100), 0.9, 0)], [(at(100), 0.9, 1)], [(at(100), 0.9, 0), (at(100), 0.8, 1)]]
    assert [list(places) for places in ids_by_frame(frames)] == [[1], [1], [2], [1, 2]]


def test_many_objects_are_followed_at_once() -> None:
    # A grid of 10 x 20 that drifts; every fifth is missing in every third frame.
    def grid(index: int) -> list[Found]:
        places = [(row, column) for row in range(10) for column in range(20)]
        kept = [place for number, place in enumerate(places) if index % 3 != 2 or number % 5]
        return [(at(60 * column + 3 * index, 100 * row), 0.9, 0) for row, column in kept]

    seen = ids_by_frame([grid(index) for index in range(10)])
    assert set(seen[9]) == set(seen[0])
    assert len(seen[9]) == 200
    for track_id, x in seen[9].items():
        assert x == pytest.approx(seen[0][track_id] + 27, abs=0.01)


def test_new_objects_are_numbered_best_first_whatever_their_class() -> None:
    frame: list[Found] = [(at(100), 0.7, 1), (at(300), 0.9, 0), (at(500), 0.8, 1), (at(700), 0.6, 0)]
    expected = {1: 300, 2: 500, 3: 100, 4: 700}
    assert ids_by_frame([frame, [], *[frame] * 2])[0] == expected
    # A frame without them, and none of them was more than a flash.
    assert ids_by_frame([frame, [], *[frame] * 2])[3] == {number + 4: place for number, place in expected.items()}


def test_a_new_object_between_old_ones_gets_the_next_id() -> None:
    old: list[Found] = [(at(100), 0.6, 0), (at(500), 0.8, 0)]
    frames = [old, old, [*old, (at(300), 0.7, 0), (at(700), 0.9, 0)], [(at(300), 0.9, 0), (at(700), 0.6, 0), *old]]
    assert [sorted(places.items()) for places in ids_by_frame(frames)[2:]] == [
        [(1, 500), (2, 100), (3, 700), (4, 300)],
    ] * 2


def test_an_object_that_walks_steadily_keeps_its_id_though_frames_come_unevenly() -> None:
    moments = np.cumsum([0.04, 0.04, 0.04, 0.12, 0.02, 0.08, 0.04, 0.16, 0.04, 0.1] * 3)
    tracker = Tracker(0.5)
    # It goes its own width in 0.1 seconds, so that only the motion model finds it again after 0.16.
    found = [tracker.update(detections([(at(400 * moment), 0.9, 0)]), moment) for moment in moments.tolist()]
    assert [one.track_ids.tolist() for one in found if one.track_ids is not None] == [[1]] * 30


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", [0.0, -0.04])
def test_time_that_does_not_go_on_does_no_harm(step: float) -> None:
    """Some files have two pictures of one moment."""
    assert ids_by_frame([[(at(100 + index), 0.9, 0)] for index in range(5)], step) == [
        {1: 100 + index} for index in range(5)
    ]


boxes_anywhere = st.tuples(
    st.integers(0, 100), st.integers(0, 100), st.sampled_from([0.95, 0.9, 0.6, 0.3]), st.integers(0, 1)
)


# 0.9 is a little less where scores are: a score of 0.9 is sure there all the same.
@given(st.lists(st.lists(boxes_anywhere, max_size=6), max_size=8), st.sampled_from([0.9, 0.5]))
def test_whatever_comes_sure_objects_stay_in_their_order_and_no_id_is_given_twice(
    frames: list[list[tuple[int, int, float, int]]], threshold: float
) -> None:
    tracker, classes = Tracker(threshold), dict[int, int]()
    for index, boxes in enumerate(frames):
        found = detections([(at(x, y), score, class_id) for x, y, score, class_id in boxes])
        followed = tracker.update(found, index * FRAME_SECONDS)
        assert followed.track_ids is not None
        track_ids = followed.track_ids.tolist()
        assert len(set(track_ids)) == len(track_ids)
        sure = int((found.scores >= threshold).sum())
        np.testing.assert_array_equal(followed.boxes_xyxy[:sure], found.boxes_xyxy[:sure])
        # An id is one object's, and an object has one class.
        for track_id, class_id in zip(track_ids, followed.class_ids.tolist(), strict=True):
            assert classes.setdefault(track_id, class_id) == class_id


def test_masks_and_order_stay_with_their_boxes_and_an_empty_frame_is_one() -> None:
    tracker = Tracker(0.5)
    masks = np.zeros((2, 8, 8), np.bool_)
    masks[1] = True
    boxes = np.array([[0, 0, 4, 4], [4, 4, 8, 8]], np.float32)
    scores = np.array([0.9, 0.2], np.float32)
    found = Detections("instance_segmentation", boxes, scores, np.zeros(2, np.int64), ("cat",), masks)
    followed = tracker.update(found, 0.0)
    assert followed.masks is not None
    assert len(followed) == 1
    assert not followed.masks.any()
    empty = tracker.update(found[:0], 0.04)
    assert empty.track_ids is not None
    assert (len(empty), len(empty.track_ids)) == (0, 0)


def test_boxes_without_area_do_no_harm() -> None:
    frames: list[list[Found]] = [[((50, 50, 50, 50), 0.9, 0)]] * 4
    assert all(len(places) == 1 for places in ids_by_frame(frames))


def test_a_tail_holds_the_last_second_of_the_way_of_what_is_there() -> None:
    tracker = Tracker(0.5)
    for index in range(40):
        tracker.update(
            detections([(at(100 + 2 * index), 0.9, 1), *([(at(400), 0.9, 0)] if index < 39 else [])]), index / 10
        )
    (tail,) = tracker.tails()
    assert (tail.track_id, tail.class_id) == (1, 1)
    # At 3.9 s: the frames from 2.9 s on.
    np.testing.assert_allclose(tail.points_xy[:, 0], [100 + 2 * index for index in range(29, 40)], atol=0.01)
