"""What the models of one stream say of a frame, with how long each took (infer thread)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.metrics import Metrics
from stream.model_step import ModelStep, PipelineModel, Seen, Step


class InferStage:
    """Asks every model of a stream in turn."""

    def __init__(self, models: Sequence[PipelineModel | Step], metrics: Metrics | None = None) -> None:
        """Ask the models in this order; their names differ.

        Args:
            models: asked on every frame where no step says otherwise.
            metrics: told how often and for how long each model ran; nobody else's where it is not given.
        """
        self._steps: Sequence[Step] = [ModelStep(step) if callable(step) else step for step in models]
        self._next_steps: Sequence[Step] = self._steps
        self._gone: list[Step] = []
        self.metrics = metrics or Metrics(list(self.providers))

    @property
    def steps(self) -> Sequence[Step]:
        """The models as they are asked, or will be from the next frame on."""
        return self._next_steps

    def change(self, steps: Sequence[Step]) -> None:
        """Ask these from the next frame on; safe from any thread."""
        self.metrics.add_models([step.model.name for step in steps])
        self._next_steps = steps

    @property
    def providers(self) -> dict[str, str]:
        """The ONNX Runtime provider by model name."""
        return {step.model.name: step.model.provider for step in self._next_steps}

    @property
    def counts(self) -> dict[str, dict[str, Any]]:
        """What has been counted so far, by model name, ready for JSON; of models that were exchanged, too."""
        counted = ((step.model.name, step.counts) for step in [*self._gone, *self._steps])
        return {name: counts.to_dict() for name, counts in counted if counts is not None}

    def note(self, frame: Frame) -> None:
        """Tell the models' steps of a frame that was captured, whether or not they will look at it."""
        for step in self._next_steps:
            step.note(frame)

    def look(self, frame: Frame) -> FrameResult:
        """What is known of a frame.

        Raises:
            ModelError: a graph failed while it ran.
        """
        self._take_over()
        seen: dict[str, Seen] = {}
        stage_ms: dict[str, Mapping[str, float]] = {}
        for step in self._steps:
            name, timer = step.model.name, _ModelTimer(self.metrics.clock_ns)
            seen[name] = step.look(frame, timer)
            for stage, milliseconds in timer.stage_ms.items():
                self.metrics.add_stage_ms(stage, milliseconds, name)
            if not seen[name].is_carried:
                stage_ms[name] = timer.stage_ms
                self.metrics.frame_inferred(name)
            elif seen[name].is_skipped:
                self.metrics.frame_skipped(name)
        return FrameResult(
            frame,
            results={name: what.result for name, what in seen.items()},
            stage_ms=stage_ms,
            found_on={name: what.found_on for name, what in seen.items() if what.is_carried},
            tails={name: what.tails for name, what in seen.items() if what.tails},
            counts={name: what.counts for name, what in seen.items() if what.counts is not None},
        )

    def _take_over(self) -> None:
        steps = self._next_steps
        if steps is not self._steps:
            self._gone += [step for step in self._steps if step not in steps and step.counts is not None]
            self._steps = steps


class _ModelTimer:
    """Times the stages of one model on one frame."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self.stage_ms: dict[str, float] = {}

    def __call__(self, stage: str) -> AbstractContextManager[None]:
        return self._timed(stage)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = self._clock_ns()
        yield
        milliseconds = (self._clock_ns() - began) / 1e6
        # A chain passes a stage several times a frame.
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + milliseconds
