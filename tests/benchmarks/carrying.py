"""How well carried boxes fit: YOLOX on every fifth frame of people walking, against what it finds on every frame."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.table import Table

from models import Model
from models.evaluation.matching import box_overlaps
from models.results import Detections, Result
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.motion import Carrier
from stream.sources import open_source
from tests.benchmarks.detectors import NO_DATA, load_yolox, weights

PEOPLE = "video/one-by-one-person-detection.mp4"
EVERY = 5
# When the people come in and go out, counted by eye; between, they stand at a table.
SECONDS_IN = (6, 23, 50, 74, 92, 123)
SECONDS_OUT = (19, 44, 69, 86, 119, 135)


class Fit(NamedTuple):
    """One box that the detector finds on a frame.

    Attributes:
        seconds: presentation time of the frame.
        left: its best IoU with the boxes of an earlier frame, left where they were.
        carried: its best IoU with the same boxes, carried to the frame.
    """

    seconds: float
    left: float
    carried: float

    @property
    def is_walking(self) -> bool:
        """Whether somebody comes in or goes out at that time, as the eye says."""
        comes = any(moment - 1 <= self.seconds <= moment + 4 for moment in SECONDS_IN)
        return comes or any(moment - 4 <= self.seconds <= moment + 1 for moment in SECONDS_OUT)


def fits(frames: Iterable[Frame], found: Sequence[Detections], *, late: bool) -> Iterator[Fit]:
    """Carry what was found on every fifth frame to the frames after it, and compare.

    Args:
        frames: in their order.
        found: what the detector finds on each of them.
        late: whether a result arrives when the model has taken the next frame, as it does where the picture does not
            wait: then the fifth picture after its own has just been shown, and it is first seen on the sixth.
            Otherwise it is there at once, as with `every: 5`.
    """
    carrier = Carrier()
    kept: dict[int, Frame] = {}
    for frame in frames:
        kept = {index: old for index, old in kept.items() if index >= frame.index - 2 * EVERY} | {frame.index: frame}
        origin = (frame.index - 1) // EVERY * EVERY - EVERY if late else frame.index // EVERY * EVERY
        if origin < 0:
            carrier.note(frame)
            continue
        if origin == frame.index:
            continue
        result = found[origin]
        seen = carrier.carried(FrameResult(frame, {"m": result}, found_on={"m": kept[origin]}))
        carried = seen.results["m"]
        assert isinstance(carried, Detections)
        truth = found[frame.index].boxes_xyxy
        if len(truth) and len(result):
            best_left = box_overlaps(truth, result.boxes_xyxy).max(axis=1)
            best_carried = box_overlaps(truth, carried.boxes_xyxy).max(axis=1, initial=0)
            for left, moved in zip(best_left, best_carried, strict=True):
                yield Fit(frame.pts_seconds, float(left), float(moved))


def mean_ious(fitted: Sequence[Fit]) -> tuple[float, float]:
    """Mean IoU of boxes left where they were, and of carried ones."""
    return float(np.mean([fit.left for fit in fitted])), float(np.mean([fit.carried for fit in fitted]))


def run(folder: Path) -> Table:
    """Carry boxes through the whole clip, with results that are there at once and results that are late."""
    table = Table("results", "frames", "boxes", "left where they were", "carried", "gain", "processor ms a picture")
    data = weights()
    if data is None:
        table.add_row(NO_DATA)
        return table
    clip = data.parent / PEOPLE
    found = list(people_found(load_yolox(data, folder), open_source(clip)))
    for late, name in ((False, "at once (every: 5)"), (True, "6 to 10 frames late (latest)")):
        frames = list(open_source(clip))
        began = time.process_time()
        fitted = list(fits(frames, found, late=late))
        milliseconds = (time.process_time() - began) * 1000 / len(frames)
        for chosen, which in ((fitted, "all"), ([fit for fit in fitted if fit.is_walking], "somebody walks")):
            left, carried = mean_ious(chosen)
            row = [f"{left:.3f}", f"{carried:.3f}", f"{carried - left:+.3f}", f"{milliseconds:.1f}"]
            table.add_row(name, which, str(len(chosen)), *row)
    return table


def people_found(model: Model, frames: Iterable[Frame]) -> Iterator[Detections]:
    """The people that a model finds on each frame."""
    for frame in frames:
        yield people_in(model(frame.image))


def people_in(result: Result) -> Detections:
    """The people among a detector's objects."""
    assert isinstance(result, Detections)
    return result[np.array([label == "person" for label in result.labels], np.bool_)]
