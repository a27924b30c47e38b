"""A sketch model that is shown the pen's strokes themselves, where there are any, in place of a picture of them.

Called by the sketchpad, on its worker thread. Strokes are simplified and drawn as those were that the networks were
trained on, so that nothing of them has to be found in a picture first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.model import Model
from models.results import ResultFilter, SketchGuess
from models.sketch_raster import draw_in_box, simplify
from models.tasks.ink import InkDrawing
from models.tasks.sketch_classification import SketchClassification

MOST_GUESSES = 5
_ALL_CLASSES = ResultFilter(top=MOST_GUESSES)


class StrokeModel:
    """A loaded sketch model, asked about strokes; the model may serve streams of pictures at the same time."""

    def __init__(self, model: Model) -> None:
        """Take a model.

        Raises:
            ModelError: it is no sketch model.
        """
        if not isinstance(model.task, SketchClassification):
            raise ModelError(f"model: {model.name} reads no drawings but does {model.manifest.task}; take quickdraw-32")
        self._model, self._task = model, model.task

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._model.name

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""
        return self._model.provider

    def __call__(self, strokes: Sequence[NDArray[np.floating]]) -> SketchGuess:
        """The five best guesses at a drawing; none where no stroke has a point.

        Args:
            strokes: one float (N, 2) of x, y a stroke, of any scale, y downwards.

        Returns:
            The guess, with the extent of the strokes in their own units as its region.

        Raises:
            ValueError: a stroke is not (N, 2) or holds a value that is not finite.
            ModelError: the graph failed while it ran.
        """
        simple = simplify(strokes)
        found = InkDrawing(draw_in_box(simple), _extent_xyxy(strokes)) if simple else None
        outputs = self._model.infer(self._task.as_input(found))
        return self._task.postprocess(outputs, found).filtered(_ALL_CLASSES)


def _extent_xyxy(strokes: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    points = np.concatenate([stroke for stroke in strokes if len(stroke)])
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
