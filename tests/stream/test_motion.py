"""Results carried by motion: a textured square moves over a textured ground by known distances."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import UNLABELLED, Classification, DepthMap, Detections, Poses, Result, SegmentationMap
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.motion import Carrier

WIDTH, HEIGHT, SIDE = 512, 288, 80
TIME_BASE = Fraction(1, 25)
NAMES = ("square",)


def texture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Soft grey clouds, as large as the folds of a coat are on a person of this size."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 7)
    grey = ((soft - soft.min()) / np.ptp(soft) * 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


GROUND, SQUARE = texture(HEIGHT, WIDTH, 1), texture(SIDE, SIDE, 2)


def frame_with_square(index: int, left: int, top: int, size_wh: tuple[int, int] = (WIDTH, HEIGHT)) -> Frame:
    """The ground with the square on it, as much of it as is in the picture."""
    margin = 2 * SIDE
    padded = np.pad(GROUND, ((margin, margin), (margin, margin), (0, 0)))
    padded[top + margin : top + margin + SIDE, left + margin : left + margin + SIDE] = SQUARE
    image = padded[margin:-margin, margin:-margin][: size_wh[1], : size_wh[0]]
    return Frame(np.ascontiguousarray(image), index, TIME_BASE, index, 0)


def box_at(left: float, top: float) -> list[float]:
    """The visible part of the square."""
    return [max(left, 0), max(top, 0), min(left + SIDE, WIDTH), min(top + SIDE, HEIGHT)]


def found_at(left: int, top: int, *, with_mask: bool = False) -> Detections:
    box = np.array([box_at(left, top)], np.float32)
    mask = np.zeros((1, HEIGHT, WIDTH), np.bool_)
    mask[0, max(top, 0) : top + SIDE, max(left, 0) : left + SIDE] = True
    one = Detections("object_detection", box, np.array([0.9], np.float32), np.array([0], np.int64), NAMES)
    return replace(one, masks=mask) if with_mask else one


def carried(carrier: Carrier, found: Frame, result: Result, frame: Frame) -> FrameResult:
    return carrier.carried(FrameResult(frame, {"m": result}, found_on={"m": found}))


def detections_in(seen: FrameResult) -> Detections:
    result = seen.results["m"]
    assert isinstance(result, Detections)
    return result


@pytest.mark.parametrize(
    ("start", "step", "frames"),
    [
        ((100, 100), (6, 0), 5),  # to the right
        ((300, 150), (-5, -3), 6),  # to the upper left
        ((200, 100), (0, 0), 3),  # at rest
        ((150, 190), (0, -8), 4),
    ],
)
def test_a_box_goes_with_what_it_shows(start: tuple[int, int], step: tuple[int, int], frames: int) -> None:
    carrier = Carrier()
    found = frame_with_square(0, *start)
    result = found_at(*start, with_mask=True)
    for index in range(1, frames + 1):
        left, top = start[0] + index * step[0], start[1] + index * step[1]
        seen = carried(carrier, found, result, frame_with_square(index, left, top))
        moved = detections_in(seen)
        assert moved.boxes_xyxy[0] == pytest.approx(box_at(left, top), abs=2.5)
        assert moved.masks is not None
        rows, columns = np.nonzero(moved.masks[0])
        assert (columns.min(), rows.min()) == pytest.approx((left, top), abs=3)
        assert seen.carried == {"m"}
        assert not seen.strengths


def test_keypoints_go_with_their_object() -> None:
    carrier = Carrier()
    found = frame_with_square(0, 100, 100)
    objects = found_at(100, 100)
    corners = np.array([[[100, 100], [180, 180]]], np.float32)
    pose = Poses("pose_estimation", objects, corners, np.ones((1, 2), np.float32), ("head", "foot"), ((0, 1),))
    for index in range(1, 6):
        seen = carried(carrier, found, pose, frame_with_square(index, 100 + 6 * index, 100))
    moved = seen.results["m"]
    assert isinstance(moved, Poses)
    assert moved.keypoints_xy[0].ravel() == pytest.approx([130, 100, 210, 180], abs=2.5)
    assert moved.objects.boxes_xyxy[0] == pytest.approx(box_at(130, 100), abs=2.5)


@pytest.mark.parametrize(("frames", "late"), [(1, False), (5, False), (6, True)])
def test_a_map_goes_with_the_picture_pixel_by_pixel(frames: int, late: bool) -> None:
    """Classes and depths: the square's own on the ground's, of which nothing moves."""
    carrier = Carrier()
    found = frame_with_square(0, 100, 100)
    classes = np.zeros((HEIGHT, WIDTH), np.uint16)
    classes[100 : 100 + SIDE, 100 : 100 + SIDE] = 1
    depths = np.where(classes == 1, 2, 9).astype(np.float32)
    maps = (
        SegmentationMap("semantic_segmentation", classes, ("ground", "square")),
        DepthMap("depth_estimation", depths, "metric"),
    )
    for index in range(1, frames + 1):
        frame = frame_with_square(index, 100 + 7 * index, 100 - 3 * index)
        if late and index < frames:
            carrier.note(frame)
            continue
        seen = carrier.carried(
            FrameResult(frame, dict(zip("ab", maps, strict=True)), found_on={"a": found, "b": found})
        )
    moved, deep = seen.results["a"], seen.results["b"]
    assert isinstance(moved, SegmentationMap)
    assert isinstance(deep, DepthMap)
    expected = np.zeros((HEIGHT, WIDTH), np.bool_)
    expected[100 - 3 * frames :, 100 + 7 * frames :][:SIDE, :SIDE] = True
    for square in (moved.class_map == 1, deep.values == 2):
        shared = (square & expected).sum() / (square | expected).sum()
        assert shared > 0.75
        left_where_it_was = ((classes == 1) & expected).sum() / ((classes == 1) | expected).sum()
        assert shared > left_where_it_was
    assert set(np.unique(moved.class_map)) == {0, 1}
    assert set(np.unique(deep.values)) == {2, 9}


def test_a_map_of_a_picture_that_stands_is_the_same_and_one_that_is_panned_is_unknown_where_it_comes_in() -> None:
    carrier = Carrier()
    wide = np.concatenate([GROUND, texture(HEIGHT, 64, 3)], axis=1)

    def frame(index: int, left: int) -> Frame:
        return Frame(np.ascontiguousarray(wide[:, left : left + WIDTH]), index, TIME_BASE, index, 0)

    result = SegmentationMap("semantic_segmentation", np.zeros((HEIGHT, WIDTH), np.uint16), ("ground",))
    assert carried(carrier, frame(0, 0), result, frame(1, 0)).results["m"] is result
    for index in range(2, 6):
        seen = carried(carrier, frame(0, 0), result, frame(index, 8 * (index - 1)))
    moved = seen.results["m"]
    assert isinstance(moved, SegmentationMap)
    assert (moved.class_map[:, :440] == 0).mean() > 0.98
    assert (moved.class_map[:, 490:] == UNLABELLED).mean() > 0.9


def test_a_result_that_comes_late_passes_the_frames_between() -> None:
    """Ten steps of 8 pixels: as one step of 80, no flow would find the square again."""
    carrier = Carrier()
    found = frame_with_square(0, 40, 100)
    for index in range(1, 10):
        carrier.note(frame_with_square(index, 40 + 8 * index, 100))
    seen = carried(carrier, found, found_at(40, 100), frame_with_square(10, 120, 100))
    moved = detections_in(seen)
    assert moved.boxes_xyxy[0] == pytest.approx(box_at(120, 100), abs=4)


def test_what_the_border_cuts_off_comes_in_and_goes_out() -> None:
    carrier = Carrier()
    found = frame_with_square(0, 100, 248)  # 40 rows of it are visible
    for index in range(1, 6):
        top = 248 - 6 * index
        seen = carried(carrier, found, found_at(100, 248), frame_with_square(index, 100, top))
    moved = detections_in(seen)
    assert moved.boxes_xyxy[0] == pytest.approx([100, 218, 180, 288], abs=3)


def test_what_has_left_the_picture_is_not_drawn() -> None:
    carrier = Carrier()
    found = frame_with_square(0, 440, 100)
    visible = []
    for index in range(1, 11):
        seen = carried(carrier, found, found_at(440, 100), frame_with_square(index, 440 + 8 * index, 100))
        visible.append(len(detections_in(seen)))
    assert visible[0] == 1
    assert visible[-1] == 0


def test_panels_stay_and_a_picture_of_another_size_has_nothing_to_do_with_what_was_found() -> None:
    carrier = Carrier()
    found = frame_with_square(0, 100, 100)
    guess = Classification("image_classification", np.array([0], np.int64), np.array([1.0], np.float32), NAMES)
    later = frame_with_square(1, 100, 100)
    assert carried(carrier, found, guess, later).results == {"m": guess}
    smaller = frame_with_square(2, 100, 100, (400, 200))
    assert carried(carrier, found, found_at(100, 100), smaller).results == {}


@pytest.mark.parametrize(
    ("arrives", "shown", "expected"),
    [
        (1, 12, 1.0),  # half a second old
        (1, 19, 0.48),  # 0.76 s: stale from 0.5 s, gone at 1 s
        (1, 25, None),
        (25, 50, 1.0),  # a model that takes a second is fresh for three
        (25, 100, pytest.approx(2 - 4 / 3)),
        (25, 150, None),
    ],
)
def test_a_result_fades_when_its_model_misses_its_own_pace(arrives: int, shown: int, expected: float | None) -> None:
    carrier = Carrier()
    found = frame_with_square(0, 100, 100)
    carried(carrier, found, found_at(100, 100), frame_with_square(arrives, 100, 100))
    seen = carried(carrier, found, found_at(100, 100), frame_with_square(shown, 100, 100))
    if expected is None:
        assert not seen.results
        assert not seen.found_on
    else:
        assert seen.strengths.get("m", 1.0) == pytest.approx(expected)


@pytest.mark.parametrize("size_wh", [(1, 1), (15, 9), (9, 400), (33, 17)])
def test_a_picture_too_small_for_flow_keeps_its_boxes(size_wh: tuple[int, int]) -> None:
    def frame(index: int) -> Frame:
        return Frame(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), index, TIME_BASE, index, 0)

    box = np.array([[0, 0, size_wh[0], size_wh[1]]], np.float32)
    result = Detections("object_detection", box, np.array([0.9], np.float32), np.array([0], np.int64), NAMES)
    seen = carried(Carrier(), frame(0), result, frame(1))
    moved = detections_in(seen)
    assert (moved.boxes_xyxy == box).all()
    classes = SegmentationMap("semantic_segmentation", np.zeros(size_wh[::-1], np.uint16), NAMES)
    assert carried(Carrier(), frame(0), classes, frame(1)).results["m"] is classes
