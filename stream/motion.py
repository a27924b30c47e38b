"""Carries what was found on an earlier frame to the frame that is shown, by how the picture has moved since.

Asked on the write thread, for every picture with a result that a model gave for an earlier one: with `every: N`, and
wherever the picture does not wait for the model. Dense optical flow (`stream.optical_flow`) moves boxes as well as
sparse flow at points in them, and costs the same for one object and for a hundred; maps move with it pixel by pixel
(`stream.map_motion`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import DepthMap, Detections, Poses, Result, SegmentationMap
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.map_motion import MapWay
from stream.optical_flow import OpticalFlow, View

T = TypeVar("T")

_Movable = Detections | Poses | SegmentationMap | DepthMap

_INNER_SHARE = 0.6
"""The middle of a box shows the object; towards the corners it is mostly what lies behind."""
_POINTS = 7
"""Of the flow, along each side of that middle."""
_AT_BORDER_PX = 2.0
_LEAST_VISIBLE_SHARE = 0.2
"""An object of which less is left in the picture has gone."""
_FRESH_SECONDS = 0.5
_FRESH_PACES = 3.0
"""A result is stale when the model has missed its own pace by so much, and never before the seconds above."""


@dataclass(slots=True)
class _Way:
    """One model's result on its way: where its boxes, or the pixels of its map, have got to.

    Attributes:
        found: the frame on which it holds.
        pace_seconds: how long the model takes from one result to the next, as far as is known.
        view: the frame that it was last carried to; None before it was.
        boxes_xyxy: float32 (N, 4) there, in pixels of the frame, not clipped.
        pixels: those of a map; None of results of other kinds.
    """

    found: Frame
    pace_seconds: float
    view: View | None = None
    boxes_xyxy: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    pixels: MapWay | None = None


class Carrier:
    """Follows the picture of one stream, and moves results with it."""

    def __init__(self) -> None:
        """See nothing yet."""
        self._flow = OpticalFlow()
        self._ways: dict[str, _Way] = {}

    def carried(self, seen: FrameResult) -> FrameResult:
        """The same, with every result that was found on an earlier frame moved to this one.

        Boxes move, with the masks and keypoints in them, and so do the pixels of maps; panels stay as they are. A
        result from a picture of another size is left out, and one that is stale fades: see `FrameResult.strengths`.

        Args:
            seen: of frames in their order.
        """
        if not seen.found_on:
            return seen
        view = None
        results: dict[str, Result] = {}
        strengths: dict[str, float] = {}
        for name, result in seen.results.items():
            found = seen.found_on.get(name)
            if found is None or found.index == seen.frame.index:
                results[name] = result
                continue
            way = self._way_of(name, found, seen.frame)
            strength = _strength(seen.frame.pts_seconds - found.pts_seconds, way.pace_seconds)
            if found.size_wh != seen.frame.size_wh or strength <= 0:
                continue
            if isinstance(result, Detections | Poses | SegmentationMap | DepthMap):
                view = view or View.of(seen.frame)
                results[name] = self._moved(result, way, view)
            else:
                results[name] = result
            if strength < 1:
                strengths[name] = strength
        if view is not None:
            self._flow.note(view)
        return replace(
            seen,
            results=results,
            found_on=_of(results, seen.found_on),
            strengths=strengths,
            tails=_of(results, seen.tails),
            counts=_of(results, seen.counts),
        )

    def note(self, frame: Frame) -> None:
        """Remember a frame that a later result may have to pass on its way."""
        self._flow.note(View.of(frame))

    def _way_of(self, name: str, found: Frame, now: Frame) -> _Way:
        way = self._ways.get(name)
        if way is not None and way.found.index == found.index:
            return way
        pace = now.pts_seconds - found.pts_seconds
        if way is not None:
            pace = max(pace, found.pts_seconds - way.found.pts_seconds)
        self._ways[name] = _Way(found, pace)
        return self._ways[name]

    def _moved(self, result: _Movable, way: _Way, view: View) -> _Movable:
        if isinstance(result, SegmentationMap | DepthMap):
            return self._moved_map(result, way, view)
        objects = result.objects if isinstance(result, Poses) else result
        if way.view is None:
            way.view, way.boxes_xyxy = View.of(way.found), objects.boxes_xyxy
        if len(result):
            for step in self._flow.steps(way.view, view):
                way.boxes_xyxy = self._after(way.boxes_xyxy, way.view, step)
                way.view = step
        moved, stays = _at(objects, way.boxes_xyxy, view.size_wh)
        if not isinstance(result, Poses):
            return moved
        shifts = shifts_between(objects.boxes_xyxy, way.boxes_xyxy)[stays]
        return replace(result[stays], objects=moved, keypoints_xy=result.keypoints_xy[stays] + shifts[:, None])

    def _moved_map(self, result: SegmentationMap | DepthMap, way: _Way, view: View) -> SegmentationMap | DepthMap:
        if way.view is None or way.pixels is None:
            way.view, way.pixels = View.of(way.found), MapWay((view.grey.shape[0], view.grey.shape[1]))
        for step in self._flow.steps(way.view, view):
            way.pixels.go(self._flow.between(step, way.view))
            way.view = step
        return way.pixels.moved(result)

    def _after(self, boxes_xyxy: NDArray[np.float32], start: View, end: View) -> NDArray[np.float32]:
        """Where boxes of one frame are on a later one: each moves as the middle of what it shows does."""
        flow = self._flow.between(start, end)
        width, height = end.size_wh
        scale = np.array([flow.shape[1] / width, flow.shape[0] / height], np.float32)
        moved = boxes_xyxy + np.tile(_middle_flows(flow, boxes_xyxy * np.tile(scale, 2)) / scale, 2)
        # What the border cuts off comes in or goes out: that side stays where it is.
        for side, border, sign in ((0, 0, 1), (1, 0, 1), (2, width, -1), (3, height, -1)):
            cut = np.abs(boxes_xyxy[:, side] - border) < _AT_BORDER_PX
            moved[cut, side] = np.where(
                (moved[cut, side] - boxes_xyxy[cut, side]) * sign > 0, boxes_xyxy[cut, side], moved[cut, side]
            )
        return moved


def _middle_flows(flow: NDArray[np.float32], boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median flow (N, 2) of the middle of each box (N, 4), both in pixels of the flow (H, W, 2)."""
    centres, halves = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) / 2
    places = centres[:, None] + halves[:, None] * _INNER_SHARE * np.linspace(-1, 1, _POINTS, dtype=np.float32)[:, None]
    limits = np.array([flow.shape[1], flow.shape[0]]) - 1
    columns, rows = np.moveaxis(places.astype(np.int64).clip(0, limits), 2, 0)
    inside = flow[rows[:, :, None], columns[:, None, :]]
    return np.asarray(np.median(inside.reshape(len(boxes_xyxy), -1, 2), axis=1), np.float32)


def _at(
    result: Detections, boxes_xyxy: NDArray[np.float32], size_wh: tuple[int, int]
) -> tuple[Detections, NDArray[np.bool_]]:
    """A result whose boxes (N, 4) have moved, with the masks in them, cut at the picture's border.

    Returns:
        The objects that are still in the picture, and bool (N,), which those are.
    """
    limits = np.tile(np.array(size_wh, np.float32), 2)
    visible = boxes_xyxy.clip(0, limits)
    areas, visible_areas = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (boxes_xyxy, visible))
    stays = np.asarray(visible_areas >= _LEAST_VISIBLE_SHARE * areas)
    masks = None
    if result.masks is not None:
        shifts = shifts_between(result.boxes_xyxy, boxes_xyxy)[stays]
        planes = [_moved_mask(mask, shift) for mask, shift in zip(result.masks[stays], shifts, strict=True)]
        masks = np.stack(planes) if planes else result.masks[stays]
    return replace(replace(result, masks=None)[stays], boxes_xyxy=visible[stays], masks=masks), stays


def shifts_between(old_xyxy: NDArray[np.float32], new_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far what is in each box has gone, float32 (N, 2): by the side that the border does not hold."""
    first, second = new_xyxy[:, :2] - old_xyxy[:, :2], new_xyxy[:, 2:] - old_xyxy[:, 2:]
    return np.where(np.abs(first) >= np.abs(second), first, second)


def _moved_mask(mask: NDArray[np.bool_], shift_xy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """A mask (H, W) that goes so far (2,)."""
    height, width = mask.shape
    move = np.array([[1, 0, shift_xy[0]], [0, 1, shift_xy[1]]], np.float32)
    moved = cv2.warpAffine(mask.view(np.uint8), move, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(moved, np.uint8).view(np.bool_)


def _strength(age_seconds: float, pace_seconds: float) -> float:
    """How much of a result is still drawn: all while it is fresh, then less, nothing at twice that age."""
    fresh = max(_FRESH_SECONDS, _FRESH_PACES * pace_seconds)
    return min(1.0, max(0.0, 2 - age_seconds / fresh))


def _of(results: Mapping[str, Result], values: Mapping[str, T]) -> dict[str, T]:
    """The values of the models whose results are left."""
    return {name: value for name, value in values.items() if name in results}
