"""The sketch models of the server, and the one thread on which they are asked about sketchpads.

Asked on the loop's thread, which only waits. A pad has one question at most under way, so that what waits is bounded by
the pads; all models load and answer on the worker thread, a millisecond each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pydantic import BaseModel

from models.errors import ModelError
from models.model import Model, load_model
from models.package import Package, bundled_names, find_package
from models.results import SketchGuess
from models.stroke_model import StrokeModel
from models.zoo import exported_names
from stream.web.sketchpad_drawing import Drawing

TASK = "sketch_classification"
DEFAULT_MODEL = "quickdraw-32"


class SketchModelDescription(BaseModel):
    """A model that can guess at drawings."""

    name: str
    labels: list[str]
    """Everything that it can tell apart."""


class Guesser:
    """Answers what drawings are; models are loaded when they are first asked, or taken from the streams."""

    def __init__(self, loaded: Iterable[object] = ()) -> None:
        """Look what there is; nothing is loaded.

        Args:
            loaded: models that streams have loaded: those among them that guess at drawings serve here, too.
        """
        self._packages = {package.origin: package for package in _sketch_packages()}
        here = [model for model in loaded if isinstance(model, Model) and model.package.origin in self._packages]
        self._models = {model.package.origin: StrokeModel(model) for model in here}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mirilla-sketch")

    @property
    def default(self) -> str:
        """The name of the model that guesses where none is chosen."""
        return DEFAULT_MODEL if DEFAULT_MODEL in self._packages else next(iter(self._packages), "")

    def descriptions(self) -> Sequence[SketchModelDescription]:
        """All models, the default first."""
        names = sorted(self._packages, key=lambda name: (name != self.default, name))
        return [
            SketchModelDescription(name=name, labels=list(self._packages[name].manifest.class_names)) for name in names
        ]

    def knows(self, model: str) -> bool:
        """Whether there is a model of this name."""
        return model in self._packages

    async def guess(self, model: str, drawing: Drawing) -> SketchGuess:
        """What a model takes a drawing for.

        Raises:
            ModelError: the model cannot be loaded, or failed while it ran.
        """
        return await asyncio.get_running_loop().run_in_executor(self._worker, partial(self._guess, model, drawing))

    def close(self) -> None:
        """End the worker thread after what it does now; it does not wait."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _guess(self, model: str, drawing: Drawing) -> SketchGuess:
        if model not in self._models:
            self._models[model] = StrokeModel(load_model(model))
        return self._models[model](drawing.paths())


def _sketch_packages() -> Iterable[Package]:
    """The bundled and exported packages that guess at drawings; one that is damaged guesses at nothing."""
    for name in (*bundled_names(), *exported_names()):
        try:
            # Checksums of models that would not be asked are not worth their time.
            if find_package(name, unverified=True).manifest.task == TASK:
                yield find_package(name)
        except ModelError:
            continue
