"""Any classifier as a detector: it is shown a window that moves over the picture, and what it is sure of is kept.

What detectors were before networks gave boxes themselves; slow, and blind to what no window frames well. A
`SlidingWindow` is called as a `models.model.Model` is, on the infer thread.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classification import Classification
from models.decoders import Candidates
from models.decoders.nms import suppress
from models.detections import Detections
from models.errors import ModelError
from models.manifest import DecodingSpec
from models.model import Model, StageTimer, untimed

_TASKS = ("image_classification", "sketch_classification")
_DEFAULT_SHARE = 0.5
_DEFAULT_STEPS = 4
_MOST_WINDOWS = 20_000
"""As many a small classifier looks at in half a minute."""


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How the window moves.

    Attributes:
        window_px: its side at scale 1; None takes half of the picture's shorter side.
        stride_px: from one place to the next at scale 1; None takes a quarter of the window.
        scales: factors on both, one sweep each.
        threshold: the least score of a window that counts as a hit.
        nms_iou: of two hits of one class that overlap by more, the less likely one is dropped.
        class_agnostic_nms: whether hits of different classes drop one another too.

    Raises:
        ModelError: a value makes no sense; names it.
    """

    window_px: int | None = None
    stride_px: int | None = None
    scales: Sequence[float] = (1.0,)
    threshold: float = 0.5
    nms_iou: float = 0.2
    class_agnostic_nms: bool = True

    def __post_init__(self) -> None:
        for name, value in (("window", self.window_px), ("stride", self.stride_px)):
            if value is not None and value < 1:
                raise ModelError(f"{name}: expected 1 pixel or more, got {value}; mend it")
        if not self.scales or not all(np.isfinite(scale) and scale > 0 for scale in self.scales):
            raise ModelError(f"scales: expected numbers above 0, got {list(self.scales)}; mend them")
        if not 0 <= self.threshold <= 1:
            raise ModelError(f"threshold: expected 0 to 1, got {self.threshold}; mend it")
        if not 0 < self.nms_iou <= 1:
            raise ModelError(f"nms-iou: expected above 0 and at most 1, got {self.nms_iou}; mend it")

    def windows(self, size_wh: tuple[int, int]) -> list[tuple[int, int, int, int]]:
        """The places (left, top, right, bottom) in a picture, row by row, one scale after the other.

        The last place of each row and column lies at the picture's edge, so that all of the picture is looked at. A
        window larger than the picture is cut to its shorter side.

        Raises:
            ModelError: there would be more than a model could ever look at; names the stride that is enough.
        """
        window = self.window_px or max(1, round(_DEFAULT_SHARE * min(size_wh)))
        stride = self.stride_px or max(1, window // _DEFAULT_STEPS)
        self._check_count(size_wh, window, stride)
        places: dict[tuple[int, int, int, int], None] = {}
        for side, step in self._sweeps(size_wh, window, stride):
            lefts, tops = (_starts(length, side, step) for length in size_wh)
            # Two scales that are cut to one size give the same places once.
            places |= dict.fromkeys((left, top, left + side, top + side) for top in tops for left in lefts)
        return list(places)

    def _sweeps(self, size_wh: tuple[int, int], window: int, stride: int) -> list[tuple[int, int]]:
        """The side of the window and how far it moves, in pixels, at each scale."""
        sides = [min(*size_wh, max(1, round(window * scale))) for scale in self.scales]
        # In proportion to the window as it was cut, else places would leave gaps.
        return [(side, max(1, round(stride * side / window))) for side in sides]

    def _check_count(self, size_wh: tuple[int, int], window: int, stride: int) -> None:
        def count(stride: int) -> int:
            sweeps = self._sweeps(size_wh, window, stride)
            return sum(math.prod(1 + -((side - length) // step) for length in size_wh) for side, step in sweeps)

        if count(stride) <= _MOST_WINDOWS:
            return
        # At the last of them no sweep has more than two places a side.
        enough = bisect.bisect_left(range(window * max(size_wh)), True, key=lambda step: count(step) <= _MOST_WINDOWS)
        raise ModelError(
            f"stride: {stride} px makes {count(stride):,} windows of a picture of {size_wh[0]}x{size_wh[1]}, more than "
            f"{_MOST_WINDOWS:,}; give {enough} or more"
        )


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the classifier said of one window.

    Attributes:
        box_xyxy: the window, in pixels of the picture.
        class_id: of the best class; None where it said nothing.
        score: of that class, 0..1.
    """

    box_xyxy: tuple[int, int, int, int]
    class_id: int | None
    score: float


class SlidingWindow:
    """A classifier and how its window moves; `SlidingWindow(model)(image)` gives `Detections`."""

    def __init__(self, model: Model, spec: WindowSpec | None = None) -> None:
        """Take a classifier.

        Raises:
            ModelError: the model is none.
        """
        if model.manifest.task not in _TASKS:
            raise ModelError(
                f"model: {model.package.origin} is for {model.manifest.task}; a sliding window needs a classifier "
                f"({', '.join(_TASKS)})"
            )
        self._model = model
        self.spec = spec or WindowSpec()
        self.name = model.name

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs the graph."""
        return self._model.provider

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names that class ids stand for."""
        return self._model.manifest.class_names

    def glimpses(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Iterator[Glimpse]:
        """What the classifier says of each window of a BGR picture uint8 (H, W, 3), in order."""
        height, width = image.shape[:2]
        for box in self.spec.windows((width, height)):
            left, top, right, bottom = box
            said = self._model(np.ascontiguousarray(image[top:bottom, left:right]), timer)
            if not isinstance(said, Classification) or not len(said):
                yield Glimpse(box, None, 0.0)
            else:
                yield Glimpse(box, int(said.class_ids[0]), float(said.scores[0]))

    def detections(self, glimpses: Sequence[Glimpse], *, suppressed: bool = True) -> Detections:
        """The hits among glimpses, best first; with `suppressed` only those that no likelier one overlaps."""
        hits = [one for one in glimpses if one.class_id is not None and one.score >= self.spec.threshold]
        hits.sort(key=lambda one: -one.score)
        found = Candidates(
            np.array([one.box_xyxy for one in hits], np.float32).reshape(-1, 4),
            np.array([one.score for one in hits], np.float32),
            np.array([one.class_id for one in hits], np.int64),
        )
        if suppressed:
            decoding = DecodingSpec(nms_iou=self.spec.nms_iou, class_agnostic_nms=self.spec.class_agnostic_nms)
            found = suppress(found, decoding)
            found = found[np.argsort(-found.scores, kind="stable")]
        return Detections("object_detection", found.boxes_xyxy, found.scores, found.class_ids, self.class_names)

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Detections:
        """The objects in a BGR picture uint8 (H, W, 3)."""
        return self.detections(list(self.glimpses(image, timer)))


def _starts(length: int, side: int, step: int) -> list[int]:
    """Where windows of a side begin along a length that is no shorter."""
    last = length - side
    return [*range(0, last, step), last]
