"""The chain for drawings: a detector finds them, a segmenter finds their ink, a classifier names them.

Called as a `models.model.Model` is, on the infer thread; all drawings of a picture go through each model in one batch,
and nothing is kept between pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.chain import DetectorFirst, infer_all
from models.errors import ModelError
from models.guessed_drawings import GuessedDrawings
from models.manifest import InputSpec, Manifest
from models.model import Model, StageTimer, untimed
from models.placement import Placement, fit
from models.results import Detections, SegmentationMap
from models.sketch_raster import SIDE_PX
from models.tasks.ink import draw_ink
from models.tasks.scores import softmax
from models.tasks.semantic_segmentation import SemanticSegmentation
from models.tasks.sketch_classification import SketchClassification

DRAWING, INK = "drawing", "ink"

_TASK = "instance_segmentation"
_AIR = 0.15
"""Around a drawing, for its ink to be told from the paper: a share of its longer side."""
_OWN_AIR = 0.04
"""What lies farther outside the box is ink of another drawing."""
_CUT_SIDE_PX = 128
"""Of the segmenter's input, where its graph takes any: a cut shows one drawing only."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A drawing with air around it.

    Attributes:
        window: rows and columns of the picture.
        own: rows and columns of the window that may hold the drawing's own ink.
    """

    window: tuple[slice, slice]
    own: tuple[slice, slice]


class DrawingChain(DetectorFirst):
    """A detector, an ink segmenter and a sketch classifier; called with a picture, gives `Detections` with masks.

    Of the detector's objects, those called `drawing` are looked at, where it knows such; otherwise all that it is
    loaded to report. Where no ink is found there is no drawing. To the frame loop and to reports it is the classifier.
    """

    def __init__(self, detector: Model, segmenter: Model, classifier: Model) -> None:
        """Put three loaded models in a row.

        Raises:
            ModelError: the first is no detector, the second knows no ink, or the third names no drawings.
        """
        super().__init__(detector, classifier, DRAWING)
        if not isinstance(segmenter.task, SemanticSegmentation) or INK not in segmenter.manifest.class_names:
            raise ModelError(
                f"ink: {segmenter.package.origin} does not tell ink from paper; give a segmentation package with the "
                f"class {INK!r}, such as drawing-segmenter"
            )
        if not isinstance(classifier.task, SketchClassification):
            raise ModelError(
                f"model: {classifier.package.origin} is for {classifier.manifest.task}; only sketch_classification "
                "names the drawings that a detector finds"
            )
        self._segmenter, self._reader = segmenter, segmenter.task
        self._namer = classifier.task
        self._ink_id = segmenter.manifest.class_names.index(INK)
        spec = segmenter.manifest.input
        self._spec = spec if not segmenter.takes_any_tensor else _smaller(spec)

    @property
    def manifest(self) -> Manifest:
        """The classifier's, which answers with objects here."""
        return self._last.manifest.model_copy(update={"task": _TASK})

    def share(self, streams: int) -> None:
        """Make all ready for so many threads that call them at the same time; see `Model.share`."""
        super().share(streams)
        self._segmenter.share(streams)

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> GuessedDrawings:
        """The drawings in a BGR picture uint8 (H, W, 3), with masks of their ink, and their names.

        Args:
            image: any size.
            timer: entered around each stage, of all models.

        Raises:
            ModelError: a graph failed while it ran.
        """
        objects = self._objects(image, timer)
        cuts = [_cut(box, image.shape) for box in objects.boxes_xyxy]
        masks = self._ink(image, cuts, timer)
        with timer("preprocess"):
            drawn = [draw_ink(mask.view(np.uint8) * np.uint8(255)) for mask in masks]
            rows = [row for row, drawing in enumerate(drawn) if drawing is not None]
            drawings = np.array([drawing for drawing in drawn if drawing is not None], np.uint8)
            tensor = self._namer.tensor(drawings.reshape(-1, SIDE_PX, SIDE_PX))
        count = len(self.manifest.class_names)
        with timer("inference"):
            logits = infer_all(self._last, tensor) if rows else np.zeros((0, count), np.float32)
        with timer("postprocess"):
            if logits.shape != (len(rows), count):
                raise ModelError(
                    f"{self.name}: expected logits of shape ({len(rows)}, {count}), one a class name, got "
                    f"{logits.shape}; export the model again"
                )
            whole = _in_picture([masks[row] for row in rows], [cuts[row] for row in rows], image.shape)
            return _guessed(objects[np.array(rows, np.int64)], whole, logits, self.manifest.class_names).filtered(
                self.filter
            )

    def _ink(self, image: NDArray[np.uint8], cuts: Sequence[_Cut], timer: StageTimer) -> list[NDArray[np.bool_]]:
        """Where the ink of each cut's drawing is, bool at the cut's size."""
        if not cuts:
            return []
        with timer("preprocess"):
            fitted = [fit(np.ascontiguousarray(image[cut.window]), self._spec) for cut in cuts]
            tensor = np.concatenate([picture for picture, _ in fitted])
        with timer("inference"):
            logits = infer_all(self._segmenter, tensor)
        with timer("postprocess"):
            return [
                self._own_ink(logits[row : row + 1], placement, cuts[row]) for row, (_, placement) in enumerate(fitted)
            ]

    def _own_ink(self, logits: NDArray[np.float32], placement: Placement, cut: _Cut) -> NDArray[np.bool_]:
        found = self._reader.postprocess({self._segmenter.manifest.outputs[0]: logits}, placement)
        assert isinstance(found, SegmentationMap)
        own = np.zeros(found.class_map.shape, np.bool_)
        own[cut.own] = found.class_map[cut.own] == self._ink_id
        return own


def _smaller(spec: InputSpec) -> InputSpec:
    """An input of a cut's size, where that is less than the network's own."""
    if spec.resize != "stretch" or min(spec.fixed_size_wh) <= _CUT_SIDE_PX:
        return spec
    return spec.model_copy(update={"height": _CUT_SIDE_PX, "width": _CUT_SIDE_PX})


def _cut(box_xyxy: NDArray[np.float32], shape: Sequence[int]) -> _Cut:
    """The square around a box float32 (4,) of a picture of that shape, cut off where the picture ends."""
    left, top, right, bottom = (float(value) for value in box_xyxy)
    longer = max(right - left, bottom - top, 1.0)
    middle = ((left + right) / 2, (top + bottom) / 2)
    half, own_air = longer * (0.5 + _AIR), longer * _OWN_AIR
    sides = []
    for centre, start, stop, length in ((middle[1], top, bottom, shape[0]), (middle[0], left, right, shape[1])):
        first = min(max(0, int(centre - half)), length - 1)
        last = max(first + 1, min(length, int(np.ceil(centre + half))))
        own = slice(max(0, int(start - own_air) - first), max(0, int(np.ceil(stop + own_air)) - first))
        sides.append((slice(first, last), own))
    (rows, own_rows), (columns, own_columns) = sides
    return _Cut((rows, columns), (own_rows, own_columns))


def _in_picture(masks: Sequence[NDArray[np.bool_]], cuts: Sequence[_Cut], shape: Sequence[int]) -> NDArray[np.bool_]:
    """The masks of cuts as masks of the picture, bool (N, H, W)."""
    whole = np.zeros((len(masks), *shape[:2]), np.bool_)
    for plane, mask, cut in zip(whole, masks, cuts, strict=True):
        plane[cut.window] = mask
    return whole


def _guessed(
    objects: Detections, masks: NDArray[np.bool_], logits: NDArray[np.float32], class_names: tuple[str, ...]
) -> GuessedDrawings:
    """Objects with masks and logits (N, K), the surest name first."""
    guesses = np.array([softmax(row) for row in logits], np.float32).reshape(len(logits), len(class_names))
    best = guesses.max(axis=1, initial=0.0)
    order = np.argsort(-best, kind="stable")
    class_ids = guesses.argmax(axis=1).astype(np.int64)
    return GuessedDrawings(
        _TASK,
        objects.boxes_xyxy[order],
        best[order],
        class_ids[order],
        class_names,
        masks[order],
        guesses=guesses[order],
        found_scores=objects.scores[order],
    )
