"""Gives objects an identity from frame to frame: ByteTrack over boxes (infer thread, one tracker a model and stream).

The method is that of Zhang et al., ByteTrack, ECCV 2022: sure boxes are matched first with where a motion model expects
each track, then unsure boxes with what is left, because an object that is half hidden is found with a low score. It is
done by the library `trackers`, which is loaded only where something is tracked: SciPy and supervision come with it.
Three things are ours. Each class has a tracker of its own, so that objects are matched only with their own class. A
sure box has its id at once, where the library gives one when it has been seen twice. And time does not run ahead of the
model: a track outlives a few of its looks, however seldom these are.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.results import Detections

if TYPE_CHECKING:
    from trackers import ByteTrackTracker
    from trackers.core.bytetrack.tracklet import ByteTrackTracklet

LEAST_SCORE = 0.1
"""Below it, no box is worth following; boxes between it and the threshold only continue a track."""

_KEPT_SECONDS = 1.0
_LONGEST_STEP_SECONDS = 0.16
"""As much of the time between two looks counts, so that a track outlives five of them without its object."""
_SHORTEST_STEP_SECONDS = 0.001
_UNITS_A_SECOND = 30
"""In which the library measures how long a track is kept."""
_TAIL_SECONDS = 1.0


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
class _Path:
    """What we remember of a track: its id and class, and moments and centres of its boxes."""

    track_id: int
    class_id: int
    points: deque[tuple[float, float, float]] = field(default_factory=deque)

    def note(self, box_xyxy: NDArray[np.float32], seconds: float) -> None:
        x, y = ((box_xyxy[:2] + box_xyxy[2:]) / 2).tolist()
        self.points.append((seconds, x, y))
        while self.points[0][0] < seconds - _TAIL_SECONDS:
            self.points.popleft()


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
        # Half a second that only those wait who track, and that is over before the first frame.
        from supervision import Detections as Given
        from trackers import ByteTrackTracker

        self._given = Given
        self._trackers: defaultdict[int, ByteTrackTracker] = defaultdict(
            lambda: ByteTrackTracker(
                lost_track_buffer=round(_KEPT_SECONDS * _UNITS_A_SECOND),
                frame_rate=_UNITS_A_SECOND,
                track_activation_threshold=self._threshold,
                high_conf_det_threshold=self._threshold,
            )
        )
        self.threshold = threshold
        self._paths: dict[ByteTrackTracklet, _Path] = {}
        self._ids = count(1)
        self._clock_seconds = 0.0
        self._last_seconds: float | None = None

    @property
    def threshold(self) -> float:
        """See the class."""
        return self._threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        # As precise as scores are: the library compares some of them as numbers of Python's.
        self._threshold = float(np.float32(threshold))
        for tracker in self._trackers.values():
            tracker.track_activation_threshold = tracker.high_conf_det_threshold = self._threshold

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
        self._advance(seconds)
        followed: dict[int, ByteTrackTracklet] = {}
        for class_id in sorted({*self._trackers, *found.class_ids.tolist()}):
            followed |= self._follow_class(class_id, found)
        rows = np.array(sorted(followed), np.int64)
        track_ids = []
        for row in rows.tolist():
            track = followed[row]
            if track not in self._paths:
                self._paths[track] = _Path(next(self._ids), int(found.class_ids[row]))
            self._paths[track].note(found.boxes_xyxy[row], seconds)
            track_ids.append(self._paths[track].track_id)
        self._forget()
        return rows, np.array(track_ids, np.int64)

    def tails(self) -> list[Tail]:
        """The recent ways of what was seen in the last frame."""
        return [
            Tail(path.track_id, path.class_id, np.array([point[1:] for point in path.points], np.float32))
            for track, path in self._paths.items()
            if track.time_since_update == 0
        ]

    def _forget(self) -> None:
        """Let go of tracks that the library has given up, and of trackers without one."""
        for class_id in [class_id for class_id, tracker in self._trackers.items() if not tracker.tracks]:
            del self._trackers[class_id]
        kept = {track for tracker in self._trackers.values() for track in tracker.tracks}
        self._paths = {track: path for track, path in self._paths.items() if track in kept}

    def _advance(self, seconds: float) -> None:
        if self._last_seconds is not None:
            step = seconds - self._last_seconds
            self._clock_seconds += min(max(step, _SHORTEST_STEP_SECONDS), _LONGEST_STEP_SECONDS)
        self._last_seconds = seconds

    def _follow_class(self, class_id: int, found: Detections) -> dict[int, ByteTrackTracklet]:
        """The tracks of the objects of one class, by row."""
        rows = np.flatnonzero(found.class_ids == class_id)
        tracker = self._trackers[class_id]
        given = self._given(xyxy=found.boxes_xyxy[rows], confidence=found.scores[rows], data={"row": rows})
        said = tracker.update(given, timestamp=self._clock_seconds)
        by_number = {track.tracker_id: track for track in tracker.tracks}
        # Of the others only sure boxes have a track: begun on this frame, in the order of the answer.
        new = (track for track in tracker.tracks if track.tracker_id < 0)
        followed = {}
        numbers = () if said.tracker_id is None else said.tracker_id
        for row, number in zip(said.data.get("row", ()), numbers, strict=True):
            if number >= 0:
                followed[int(row)] = by_number[number]
            elif found.scores[row] >= self._threshold:
                followed[int(row)] = next(new)
        return followed
