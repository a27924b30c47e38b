"""What is drawn for poses: a skeleton a person, coloured by the side of the body (write thread)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Poses
from models.skeletons import Side, side_of
from stream.overlays.labels import draw_labels, object_texts
from stream.overlays.layout import Layout
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.theme import PALETTE, Colour, class_colour

SIDE_COLOURS: dict[Side, Colour] = {"left": PALETTE[0], "right": PALETTE[1], "centre": PALETTE[2]}
"""Of the body's sides."""

_SUBPIXEL_BITS = 3
_LINE_SHARE = 0.014
"""A limb's thickness as a share of the person's height; capped, so that someone near is not drawn with beams."""
_FAINT_ALPHA = 0.35
_FAINTEST = 0.5
"""Of the least score: what is less likely than that is not drawn at all."""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A limb, or a joint where both ends are one point.

    Attributes:
        ends: float (2, 2), x and y in pixels of the frame.
        colour: BGR.
        width: in pixels; of a joint, its radius.
        is_sure: whether both of its keypoints are.
    """

    ends: NDArray[np.float32]
    colour: Colour
    width: int
    is_sure: bool


class PosesOverlay(Overlay[Poses]):
    """Limbs and joints; what the model only guesses is faint. The likeliest people lie on top."""

    def draw_marks(self, canvas: NDArray[np.uint8], result: Poses, layout: Layout) -> None:
        """Draw the skeletons, and the ids of people who are tracked."""
        people = [_strokes(result, row, layout.sizes.line, canvas.shape[:2]) for row in range(len(result))]
        _draw_faint(canvas, [stroke for person in people for stroke in person if not stroke.is_sure])
        for person in people[::-1]:
            _draw_strokes(canvas, [stroke for stroke in person if stroke.is_sure])
        if result.objects.track_ids is not None:
            boxes_xyxy = np.rint(result.objects.boxes_xyxy).astype(np.int64)
            colours = [class_colour(class_id) for class_id in result.objects.class_ids.tolist()]
            draw_labels(canvas, object_texts(result.objects), boxes_xyxy, colours, layout.sizes)


def _strokes(result: Poses, row: int, line: int, size_hw: Sequence[int]) -> list[_Stroke]:
    """Limbs, then joints over them, of one person, without those that are nowhere near the frame."""
    points, scores = result.keypoints_xy[row], result.scores[row]
    sides = [_side(name) for name in result.keypoint_names]
    box = result.objects.boxes_xyxy[row]
    width = int(np.clip(round(_LINE_SHARE * float(box[3] - box[1])), 1, max(2, round(1.2 * line))))
    radius = max(1, round(0.9 * width))
    frame_wh = np.array(size_hw[1::-1], np.float32)
    near = np.all((points > -frame_wh) & (points < 2 * frame_wh), axis=1)
    drawn = near & (scores >= _FAINTEST * result.least_score)
    sure = result.is_sure[row]
    strokes = [
        _Stroke(points[[a, b]], SIDE_COLOURS[limb_side(sides[a], sides[b])], width, bool(sure[a] and sure[b]))
        for a, b in result.skeleton
        if drawn[a] and drawn[b]
    ]
    joints = np.flatnonzero(drawn).tolist()
    return strokes + [_Stroke(points[[k, k]], SIDE_COLOURS[sides[k]], radius, bool(sure[k])) for k in joints]


@cache
def _side(keypoint_name: str) -> Side:
    return side_of(keypoint_name)


def limb_side(a: Side, b: Side) -> Side:
    """Of a limb between two sides, none; from the centre out, the outer one."""
    sides = {a, b} - {"centre"}
    return sides.pop() if len(sides) == 1 else "centre"


def _draw_faint(canvas: NDArray[np.uint8], strokes: Sequence[_Stroke]) -> None:
    """Blend strokes into the part of the canvas that they cover."""
    if not strokes:
        return
    air = 4 + 2 * max(stroke.width for stroke in strokes)
    ends = np.concatenate([stroke.ends for stroke in strokes])
    limit = np.array(canvas.shape[1::-1])
    left, top = np.clip(ends.min(axis=0) - air, 0, limit).astype(int).tolist()
    right, bottom = np.clip(ends.max(axis=0) + air, 0, limit).astype(int).tolist()
    if left >= right or top >= bottom:
        return
    view = canvas[top:bottom, left:right]
    painted = view.copy()
    offset = np.array([left, top], np.float32)
    moved = [_Stroke(one.ends - offset, one.colour, one.width, one.is_sure) for one in strokes]
    _draw_strokes(painted, moved)
    view[:] = cv2.addWeighted(view, 1 - _FAINT_ALPHA, painted, _FAINT_ALPHA, 0)


def _draw_strokes(canvas: NDArray[np.uint8], strokes: Sequence[_Stroke]) -> None:
    """Draw strokes in place, over a dark rim that keeps them visible on a ground of any colour."""
    for stroke, colour, width in _layers(strokes):
        start, end = np.rint(stroke.ends * (1 << _SUBPIXEL_BITS)).astype(int).tolist()
        if start == end:
            cv2.circle(canvas, start, width << _SUBPIXEL_BITS, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
        else:
            cv2.line(canvas, start, end, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def _layers(strokes: Sequence[_Stroke]) -> Iterator[tuple[_Stroke, Colour, int]]:
    """All rims, then all strokes: where limbs cross, neither cuts the other."""
    for stroke in strokes:
        rim = max(1, stroke.width // 3)
        blue, green, red = stroke.colour
        is_joint = np.array_equal(*stroke.ends)
        yield stroke, (blue // 4, green // 4, red // 4), stroke.width + (rim if is_joint else 2 * rim)
    for stroke in strokes:
        yield stroke, stroke.colour, stroke.width


OVERLAY = OverlayKind(result_type=Poses, make=PosesOverlay)
