"""Counts objects: how many there are, how many there were, which way they crossed lines, who is in a zone.

One counter a model and stream, called after its tracker (infer thread). An object stands where the centre of its box
is: of a person who comes in at the border of the picture only a part is seen, and feet are the last of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Detections

Point = tuple[float, float]
"""x and y."""

_SEEN_BEFORE_COUNTED = 2
"""Frames in which an object has to be seen: a box that flashes up once is no object."""
_CLEAR_OF_LINE = 0.01
"""Of the picture's shorter side: nearer to a line an object is on neither side, or one that trembles would be counted
over and over."""
_MOST_REMEMBERED = 4096
"""Tracks; the longest unseen are forgotten first. A camera may run for months."""


@dataclass(frozen=True, slots=True)
class LineCount:
    """How often a line was crossed.

    Attributes:
        start, end: of the line, 0..1 of the picture's width and height.
        inwards: crossings from the left to the right of someone who walks from start to end.
        outwards: the others.
    """

    start: Point
    end: Point
    inwards: int = 0
    outwards: int = 0


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """How many objects are in a zone.

    Attributes:
        corners: of the polygon, 0..1 of the picture's width and height.
        present: objects whose centre is in it now.
    """

    corners: Sequence[Point]
    present: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What has been counted up to one frame.

    Attributes:
        present: objects in the picture now, by label.
        unique: objects since the stream began, by label; None without tracking.
        lines, zones: by the names that the user gave them.
    """

    present: Mapping[str, int]
    unique: Mapping[str, int] | None
    lines: Mapping[str, LineCount]
    zones: Mapping[str, ZoneCount]

    def to_dict(self) -> dict[str, Any]:
        """`{"present": {LABEL: n}, "unique": {LABEL: n}, "lines": {NAME: {"in", "out"}}, "zones": {NAME: n}}`.

        What was not asked for is left out.
        """
        counts: dict[str, Any] = {"present": dict(self.present)}
        if self.unique is not None:
            counts["unique"] = dict(self.unique)
        if self.lines:
            counts["lines"] = {name: {"in": line.inwards, "out": line.outwards} for name, line in self.lines.items()}
        if self.zones:
            counts["zones"] = {name: zone.present for name, zone in self.zones.items()}
        return counts


@dataclass(slots=True)
class _Visit:
    """What is remembered of a track: in how many frames it was, and where it last was clear of each line."""

    frames: int = 0
    clear_at: dict[str, NDArray[np.float64]] = field(default_factory=dict)


class ObjectCounter:
    """Counts the objects of one model in one stream."""

    def __init__(
        self, lines: Mapping[str, tuple[Point, Point]] | None = None, zones: Mapping[str, Sequence[Point]] | None = None
    ) -> None:
        """Start at nothing.

        Args:
            lines: start and end by name, 0..1 of the picture; they count tracked objects only.
            zones: three corners or more by name, likewise.
        """
        self._lines = {name: LineCount(*ends) for name, ends in (lines or {}).items()}
        self._zones = {name: ZoneCount(tuple(corners)) for name, corners in (zones or {}).items()}
        self._unique: Counter[str] = Counter()
        self._visits: dict[int, _Visit] = {}

    def update(self, found: Detections, size_wh: tuple[int, int]) -> Counts:
        """The counts with one more frame.

        Args:
            found: the frame's objects, with track ids where they are followed.
            size_wh: of the frame in pixels.
        """
        size = np.array(size_wh, np.float64)
        centres = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2.0
        labels = found.labels
        if found.track_ids is not None:
            for track_id, label, centre in zip(found.track_ids.tolist(), labels, centres, strict=True):
                self._visited(track_id, label, centre.astype(np.float64), size)
        zones = {
            name: ZoneCount(zone.corners, _count_within(np.array(zone.corners) * size, centres))
            for name, zone in self._zones.items()
        }
        unique = None if found.track_ids is None else dict(self._unique)
        return Counts(dict(Counter(labels)), unique, dict(self._lines), zones)

    def _visited(self, track_id: int, label: str, centre: NDArray[np.float64], size: NDArray[np.float64]) -> None:
        # Put back at the end: the dictionary is in the order of last visits.
        visit = self._visits[track_id] = self._visits.pop(track_id, _Visit())
        visit.frames += 1
        if visit.frames == _SEEN_BEFORE_COUNTED:
            self._unique[label] += 1
        for name, line in self._lines.items():
            self._lines[name] = _line_after(line, name, visit, centre, size)
        if len(self._visits) > _MOST_REMEMBERED:
            del self._visits[next(iter(self._visits))]


def _line_after(
    line: LineCount, name: str, visit: _Visit, centre: NDArray[np.float64], size: NDArray[np.float64]
) -> LineCount:
    """A line's counts once an object has come to a point."""
    start, end = np.array(line.start) * size, np.array(line.end) * size
    right_of_line = _cross(end - start, centre - start) / max(float(np.hypot(*(end - start))), 1e-9)
    if abs(right_of_line) < _CLEAR_OF_LINE * size.min():
        return line
    before = visit.clear_at.get(name)
    visit.clear_at[name] = centre
    if before is None or (_cross(end - start, before - start) > 0) == (right_of_line > 0):
        return line
    # It came round an end of the line where both ends lie on the same side of its way.
    way = centre - before
    if _cross(way, start - before) * _cross(way, end - before) > 0:
        return line
    if right_of_line > 0:
        return LineCount(line.start, line.end, line.inwards + 1, line.outwards)
    return LineCount(line.start, line.end, line.inwards, line.outwards + 1)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Positive where b points to the right of a, in a picture, whose y grows downwards."""
    return float(a[0] * b[1] - a[1] * b[0])


def _count_within(corners_xy: NDArray[np.float64], points_xy: NDArray[np.float32]) -> int:
    polygon = corners_xy.astype(np.float32)
    return sum(cv2.pointPolygonTest(polygon, point, False) >= 0 for point in points_xy.tolist())
