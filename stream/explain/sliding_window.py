"""The animated GIF of a sliding window: it sweeps, hits stay, and non-maximum suppression leaves the objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.sliding_window import Glimpse, SlidingWindow
from stream.errors import ConfigError
from stream.overlays.drawing import Painter
from stream.overlays.theme import TEXT, Colour, class_colour
from stream.scenes import Captions, SceneGif, shrunk
from stream.sinks.gif import MIN_DELAY_TICKS
from stream.sources.still import read_still

_SWEEP_TICKS = 800
_SLOWEST_TICKS = 12
_HITS_TICKS = 180
_RESULT_TICKS = 300
_DIMMED = 0.45


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """How many windows were looked at, the hits among them, and the objects that suppression leaves."""

    windows: int
    hits: Detections
    objects: Detections


def write_sweep(
    detector: SlidingWindow,
    image_path: Path,
    output: Path,
    *,
    overwrite: bool,
    on_progress: Callable[[int, int], None],
) -> SweepOutcome:
    """Show a picture to a sliding window, and write how it went.

    Args:
        detector: the classifier and how its window moves.
        image_path: the picture.
        output: the `.gif` file.
        overwrite: whether it may be replaced.
        on_progress: told of every window.

    Raises:
        MirillaError: the picture cannot be read, or the file cannot be written.
    """
    if output.suffix.lower() != ".gif":
        raise ConfigError(f"output: {output} is no .gif; give a name that ends so")
    image = read_still(image_path)
    height, width = image.shape[:2]
    total = len(detector.spec.windows((width, height)))
    stage = _Stage(*shrunk(image), detector)
    gif = SceneGif(output, overwrite=overwrite)
    with closing(gif):
        gif.open(image_path.name, stage.captions.size_wh)
        glimpses: list[Glimpse] = []
        for glimpse in detector.glimpses(image):
            glimpses.append(glimpse)
            on_progress(len(glimpses), total)
        hits, objects = detector.detections(glimpses, suppressed=False), detector.detections(glimpses)
        for picture, ticks in stage.scenes(glimpses, hits, objects):
            gif.show(picture, ticks)
    return SweepOutcome(len(glimpses), hits, objects)


class _Stage:
    """Draws the scenes: the picture under a bar that says what happens."""

    def __init__(self, image: NDArray[np.uint8], scale: float, detector: SlidingWindow) -> None:
        """Take the picture uint8 (H, W, 3) as it is shown, and how much smaller that is than the one looked at."""
        self._image = image
        self._dim = np.asarray(cv2.convertScaleAbs(image, alpha=_DIMMED), np.uint8)
        self._scale = scale
        self._detector = detector
        self.captions = Captions((image.shape[1], image.shape[0]))
        self._painter = Painter()

    def scenes(
        self, glimpses: Sequence[Glimpse], hits: Detections, objects: Detections
    ) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """The pictures, and for how many ticks each is shown."""
        least = self._detector.spec.threshold
        # Where windows are many, only some are shown: the sweep should not take longer than a look at the result.
        every = math.ceil(len(glimpses) * MIN_DELAY_TICKS / _SWEEP_TICKS)
        shown = range(0, len(glimpses), every)
        delay = min(_SLOWEST_TICKS, max(MIN_DELAY_TICKS, _SWEEP_TICKS // len(shown)))
        for index in shown:
            yield self._sweep(glimpses, index), delay
        found = f"{len(hits)} of {len(glimpses)} windows are hits"
        yield self._still(hits, found, f"score {least:g} or more"), _HITS_TICKS
        left = f"{len(objects)} left by non-maximum suppression"
        yield self._result(objects, left, f"IoU {self._detector.spec.nms_iou:g}"), _RESULT_TICKS

    def _sweep(self, glimpses: Sequence[Glimpse], index: int) -> NDArray[np.uint8]:
        picture = self._dim.copy()
        now = glimpses[index]
        left, top, right, bottom = self._shown(now.box_xyxy)
        picture[top:bottom, left:right] = self._image[top:bottom, left:right]
        for glimpse in glimpses[: index + 1]:
            if self._is_hit(glimpse):
                self._draw_window(picture, glimpse, 1)
        self._draw_window(picture, now, max(2, self.captions.sizes.line))
        name = "nothing" if now.class_id is None else self._detector.class_names[now.class_id]
        said = name if now.class_id is None else f"{name} {now.score:.0%}"
        return self.captions.framed(picture, f"window {index + 1} of {len(glimpses)}", said)

    def _still(self, hits: Detections, title: str, note: str) -> NDArray[np.uint8]:
        picture = self._dim.copy()
        for box, class_id, score in zip(hits.boxes_xyxy, hits.class_ids.tolist(), hits.scores.tolist(), strict=True):
            left, top, right, bottom = (round(float(value)) for value in box)
            self._draw_window(picture, Glimpse((left, top, right, bottom), class_id, score), 2)
        return self.captions.framed(picture, title, note)

    def _result(self, objects: Detections, title: str, note: str) -> NDArray[np.uint8]:
        picture = self._image.copy()
        boxes = (objects.boxes_xyxy * self._scale).astype(np.float32)
        shown = Detections(objects.task, boxes, objects.scores, objects.class_ids, objects.class_names)
        self._painter.paint(picture, {self._detector.name: shown})
        return self.captions.framed(picture, title, note)

    def _is_hit(self, glimpse: Glimpse) -> bool:
        return glimpse.class_id is not None and glimpse.score >= self._detector.spec.threshold

    def _draw_window(self, picture: NDArray[np.uint8], glimpse: Glimpse, line: int) -> None:
        left, top, right, bottom = self._shown(glimpse.box_xyxy)
        colour: Colour = TEXT
        if glimpse.class_id is not None and self._is_hit(glimpse):
            colour = class_colour(glimpse.class_id)
        for inset in range(line):
            cv2.rectangle(picture, (left + inset, top + inset), (right - 1 - inset, bottom - 1 - inset), colour, 1)

    def _shown(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """A box of the picture looked at, in pixels of the one shown; at least a pixel each way."""
        height, width = self._image.shape[:2]
        left, top, right, bottom = (round(value * self._scale) for value in box)
        left, top = min(left, width - 1), min(top, height - 1)
        return left, top, max(left + 1, min(right, width)), max(top + 1, min(bottom, height))
