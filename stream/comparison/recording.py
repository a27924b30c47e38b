"""Runs one model over all frames of a material in the frame loop, and keeps what it said and how long it took.

Results are kept packed: masks and maps of a whole clip would not fit into memory otherwise.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from models.model import Model
from models.results import Result
from stream.capture_stage import Limits
from stream.comparison.material import Material
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.sinks import Sink


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one frame.

    Attributes:
        inference_ms: how long the graph ran.
        packed: the result.
    """

    inference_ms: float
    packed: bytes

    @property
    def result(self) -> Result:
        """The result, unpacked."""
        # From this process's own memory, never from a file.
        return cast("Result", pickle.loads(zlib.decompress(self.packed)))


@dataclass(frozen=True, slots=True)
class Recording:
    """One model over one material.

    Attributes:
        frames: what it said, frame after frame.
        fps: frames a second from reading to the annotated picture, encoding left out; None for a single frame.
    """

    frames: Sequence[Said]
    fps: float | None


class _Keeper(Sink):
    """Keeps results. It asks for the annotated picture, because drawing it is part of what is timed."""

    def __init__(self, model_name: str) -> None:
        self.frames: list[Said] = []
        self._model_name = model_name

    @override
    def open(self, info: SourceInfo) -> None:
        pass

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        packed = zlib.compress(pickle.dumps(result.results[self._model_name]), level=1)
        self.frames.append(Said(result.stage_ms[self._model_name]["inference"], packed))

    @override
    def close(self) -> None:
        pass


def record(
    model: Model, material: Material, limits: Limits, on_progress: Callable[[int, int | None], None]
) -> Recording:
    """Run a model over a material.

    Args:
        model: ready to be called.
        material: the frames.
        limits: where to stop before its end.
        on_progress: told how many frames are done, and of how many.

    Raises:
        MirillaError: the material cannot be read, or the model failed.
    """
    keeper = _Keeper(model.name)
    metrics = Metrics([model.name])
    pipeline = Pipeline(material.open(), [model], [keeper], metrics=metrics, look=Look(hud=False), limits=limits)
    pipeline.run(lambda: on_progress(len(keeper.frames), pipeline.frame_count))
    # Over the whole time, not between the first and the last picture: few pictures come out of the buffers at once.
    seconds = metrics.report({})["wall_seconds"]
    return Recording(keeper.frames, round(len(keeper.frames) / seconds, 2) if len(keeper.frames) > 1 else None)
