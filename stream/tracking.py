"""Gives objects an identity from frame to frame: ByteTrack over boxes (infer thread, one tracker a model and stream).

The method is that of Zhang et al., ByteTrack, ECCV 2022: sure boxes are matched first with where a motion model expects
each track, then unsure boxes with what is left, because an object that is half hidden is found with a low score.
Motion is OpenCV's Kalman filter. Written here because of what the kept libraries would bring to a machine that only
runs video: `trackers` and `supervision` need SciPy and Matplotlib, `boxmot` PyTorch, `norfair` SciPy and an older rich.
Three things differ from the paper. Objects are matched only with their own class. The likeliest pair is taken first,
where the paper solves an assignment: boxes that compete for one track are rare once NMS has passed. How long a track
outlives its object is measured in time, too, so that slow streams do not lose what they look at seldom.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Detections

LEAST_SCORE = 0.1
"""Below it, no box is worth following; boxes between it and the threshold only continue a track."""

_SURE_OVERLAP = 0.2
"""Of IoU times score, for a sure box and a track."""
_UNSURE_OVERLAP = 0.5
"""Of IoU, for an unsure box and a track that was seen in the frame before."""
_NEW_OVERLAP = 0.3
"""Of IoU times score, for a sure box and a track that was seen only once."""
_CONFIRMED_AFTER = 2
_KEPT_UPDATES = 5
_KEPT_SECONDS = 1.0
_TAIL_SECONDS = 1.0
# Standard deviations of centre, size and their speeds, as shares of the object's size; those of the paper.
_POSITION, _SPEED = 1 / 20, 1 / 160
_MEASURED = np.repeat(np.float32(_POSITION), 4)
_MOVED = np.repeat(np.array([_POSITION, _SPEED], np.float32), 4)
_BEGUN = np.repeat(np.array([2 * _POSITION, 10 * _SPEED], np.float32), 4)


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """Where a track has lately been.

    Attributes:
        track_id: of the track.
        class_id: of its object.
        points_xy: float32 (K, 2), the centres of its boxes in pixels of the frame, the newest last.
    """

    track_id: int
    class_id: int
    points_xy: NDArray[np.float32] = field(repr=False)


@dataclass(slots=True)
class _Track:
    track_id: int
    class_id: int
    motion: cv2.KalmanFilter
    seen_seconds: float
    expected_xyxy: NDArray[np.float32]
    hits: int = 1
    misses: int = 0
    path: deque[tuple[float, float, float]] = field(default_factory=deque)


class Tracker:
    """Follows the objects of one model through one stream.

    Attributes:
        threshold: the score from which a box begins a track, 0..1; may be changed between two frames.
    """

    def __init__(self, threshold: float) -> None:
        """Follow nothing yet.

        Args:
            threshold: see above.
        """
        self.threshold = threshold
        self._tracks: list[_Track] = []
        self._ids = count(1)

    def update(self, found: Detections, seconds: float) -> Detections:
        """The objects that are tracked, or are new and sure, with their ids; arguments as of `follow`."""
        return found.tracked(*self.follow(found, seconds))

    def follow(self, found: Detections, seconds: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which objects are tracked, or are new and sure, and their ids.

        Args:
            found: what the model says of the next frame, down to `LEAST_SCORE`.
            seconds: presentation time of that frame.

        Returns:
            Rising indices int64 (M,), without those that are unsure and continue no track; ids int64 (M,).
        """
        for track in self._tracks:
            _predict(track)
        sure = found.scores >= self.threshold
        confirmed = [track for track in self._tracks if track.hits >= _CONFIRMED_AFTER]
        current = [track for track in confirmed if track.misses == 0]
        new = [track for track in self._tracks if track.hits < _CONFIRMED_AFTER]
        matched: dict[int, _Track] = {}
        for tracks, rows, least, weighs_score in (
            (confirmed, np.flatnonzero(sure), _SURE_OVERLAP, True),
            (current, np.flatnonzero(~sure), _UNSURE_OVERLAP, False),
            (new, np.flatnonzero(sure), _NEW_OVERLAP, True),
        ):
            matched |= _match(tracks, found, rows, matched, least, weighs_score)
        for track in self._tracks:
            track.misses += 1
        for row, track in matched.items():
            _correct(track, found.boxes_xyxy[row], seconds)
        for row in np.flatnonzero(sure).tolist():
            if row not in matched:
                matched[row] = self._begin(found, row, seconds)
        self._tracks = [track for track in self._tracks if _is_kept(track, seconds)]
        rows = np.array(sorted(matched), np.int64)
        track_ids = np.array([matched[row].track_id for row in rows.tolist()], np.int64)
        return rows, track_ids

    def tails(self) -> list[Tail]:
        """The recent ways of what was seen in the last frame."""
        return [
            Tail(track.track_id, track.class_id, np.array([point[1:] for point in track.path], np.float32))
            for track in self._tracks
            if track.misses == 0
        ]

    def _begin(self, found: Detections, row: int, seconds: float) -> _Track:
        box = found.boxes_xyxy[row]
        track = _Track(next(self._ids), int(found.class_ids[row]), _motion_of(box), seconds, box)
        _note_place(track, box, seconds)
        self._tracks.append(track)
        return track


def _is_kept(track: _Track, seconds: float) -> bool:
    if track.misses == 0:
        return True
    if track.hits < _CONFIRMED_AFTER:
        return False
    return track.misses <= _KEPT_UPDATES or seconds - track.seen_seconds <= _KEPT_SECONDS


def _match(
    tracks: Sequence[_Track],
    found: Detections,
    rows: NDArray[np.int64],
    matched: dict[int, _Track],
    least: float,
    weighs_score: bool,
) -> dict[int, _Track]:
    """Pairs of a row of `found` and a track, neither of them matched before, the likeliest pair first."""
    taken = {track.track_id for track in matched.values()}
    tracks = [track for track in tracks if track.track_id not in taken]
    rows = np.array([row for row in rows.tolist() if row not in matched], np.int64)
    if not tracks or not len(rows):
        return {}
    fit = overlaps(np.array([track.expected_xyxy for track in tracks]), found.boxes_xyxy[rows])
    if weighs_score:
        fit *= found.scores[rows]
    fit[np.array([track.class_id for track in tracks])[:, None] != found.class_ids[rows]] = 0
    pairs: dict[int, _Track] = {}
    used: set[int] = set()
    for place in np.argsort(-fit, axis=None, kind="stable"):
        index, column = divmod(int(place), len(rows))
        if fit[index, column] <= least:
            break
        row = int(rows[column])
        if row not in pairs and index not in used:
            pairs[row] = tracks[index]
            used.add(index)
    return pairs


def overlaps(boxes_xyxy: NDArray[np.float32], others_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of boxes (N, 4) and others (M, 4), float32 (N, M); 0 for boxes without area."""
    ends = np.minimum(boxes_xyxy[:, None, 2:], others_xyxy[None, :, 2:])
    starts = np.maximum(boxes_xyxy[:, None, :2], others_xyxy[None, :, :2])
    shared: NDArray[np.float32] = (ends - starts).clip(0).prod(axis=2)
    areas, other_areas = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (boxes_xyxy, others_xyxy))
    union = areas[:, None] + other_areas[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def _motion_of(box_xyxy: NDArray[np.float32]) -> cv2.KalmanFilter:
    """A filter over centre, size and their speeds a frame, at rest."""
    motion = cv2.KalmanFilter(8, 4)
    motion.transitionMatrix = np.eye(8, dtype=np.float32) + np.eye(8, k=4, dtype=np.float32)
    motion.measurementMatrix = np.eye(4, 8, dtype=np.float32)
    motion.statePost = np.concatenate([_centre_and_size(box_xyxy), np.zeros(4, np.float32)])[:, None]
    motion.errorCovPost = _variances(box_xyxy, _BEGUN)
    return motion


def _predict(track: _Track) -> None:
    if track.misses:
        # What is not seen keeps the size it had.
        state = track.motion.statePost
        state[6:] = 0
        track.motion.statePost = state
    track.motion.processNoiseCov = _variances(track.expected_xyxy, _MOVED)
    x, y, width, height = track.motion.predict().ravel()[:4].tolist()
    half_width, half_height = max(width, 1.0) / 2, max(height, 1.0) / 2
    corners = (x - half_width, y - half_height, x + half_width, y + half_height)
    track.expected_xyxy = np.array(corners, np.float32)


def _correct(track: _Track, box_xyxy: NDArray[np.float32], seconds: float) -> None:
    track.motion.measurementNoiseCov = _variances(box_xyxy, _MEASURED)
    track.motion.correct(_centre_and_size(box_xyxy)[:, None])
    track.expected_xyxy = box_xyxy
    track.hits += 1
    track.misses = 0
    track.seen_seconds = seconds
    _note_place(track, box_xyxy, seconds)


def _note_place(track: _Track, box_xyxy: NDArray[np.float32], seconds: float) -> None:
    x, y = _centre_and_size(box_xyxy)[:2].tolist()
    track.path.append((seconds, x, y))
    while track.path[0][0] < seconds - _TAIL_SECONDS:
        track.path.popleft()


def _centre_and_size(box_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([(box_xyxy[:2] + box_xyxy[2:]) / 2, box_xyxy[2:] - box_xyxy[:2]])


def _variances(box_xyxy: NDArray[np.float32], shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Variances float32 (K, K) of K values, from shares (K,) of the box's width and height in turn."""
    size = np.maximum(box_xyxy[2:] - box_xyxy[:2], 1)
    return np.diag(np.square(np.tile(size, len(shares) // 2) * shares))
