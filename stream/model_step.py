"""One model's turn in the frame loop: how often it runs, and what is kept of it from frame to frame (infer thread).

The pipeline asks every step on every frame, in order; a step asks its model on every Nth of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.model import StageTimer
from models.results import Result
from stream.frame import Frame


class PipelineModel(Protocol):
    """What the frame loop needs of a model."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Result:
        """The result for a BGR picture uint8 (H, W, 3); each stage runs within the timer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known through one model at one frame.

    Attributes:
        result: the model's newest.
        is_carried: whether it was made from an earlier frame.
    """

    result: Result
    is_carried: bool


class ModelStep:
    """A model as one stream uses it; it is run once, from the first frame on."""

    def __init__(self, model: PipelineModel, *, every: int = 1) -> None:
        """Put a model into a stream.

        Args:
            model: may serve other streams, too: it keeps nothing between frames.
            every: run on the first frame and on every Nth after it, of those that reach the models; the result is
                carried to the frames between.
        """
        self.model = model
        self._every = every
        self._count = 0
        self._last: Seen | None = None

    def look(self, frame: Frame, timer: StageTimer) -> Seen:
        """What is known of a frame.

        Raises:
            ModelError: the graph failed while it ran.
        """
        if self._last is None or self._count % self._every == 0:
            self._last = Seen(self.model(frame.image, timer), is_carried=False)
        elif not self._last.is_carried:
            self._last = Seen(self._last.result, is_carried=True)
        self._count += 1
        return self._last
