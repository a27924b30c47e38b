"""Whether the picture keeps its rate while SAM's encoder works on what somebody has clicked on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from typing_extensions import override

from models.detections import Detections
from models.model import StageTimer
from models.prompted_model import Embedding, PromptedModel, masked_objects
from models.prompts import ObjectPrompt
from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.pipeline import Pipeline
from stream.pointing.clicks import Point
from stream.pointing.pointed_step import PointedStep
from stream.sources.paced import PacedSource
from stream.sources.pattern import PatternSource, PatternSpec
from tests.benchmarks.live_lag import LatencySink
from tests.benchmarks.segmenting import seeded_slim_sam

RATE, SECONDS = 30, 20
WIDTH, HEIGHT = 1280, 720


class SureModel:
    """A model whose halves do all their work, and whose answer is a disc: seeded weights would soon lose the object."""

    def __init__(self, model: PromptedModel) -> None:
        self.name, self.provider, self.takes_boxes = model.name, model.provider, model.takes_boxes
        self.model = model

    def embed(self, image: NDArray[np.uint8], timer: StageTimer) -> Embedding:
        return self.model.embed(image, timer)

    def segment(self, embedding: Embedding, prompts: Sequence[ObjectPrompt], *, timer: StageTimer) -> Detections:
        self.model.segment(embedding, prompts, timer=timer)
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        mask = (x - WIDTH / 2) ** 2 + (y - HEIGHT / 2) ** 2 < 150**2
        names = tuple(f"object {number + 1}" for number in range(len(prompts)))
        masks = [mask] * len(prompts)
        return masked_objects(masks, [0.9] * len(prompts), list(range(len(prompts))), names, (WIDTH, HEIGHT))


class PacedSink(LatencySink):
    """Remembers also when each picture came: the run itself ends later, with the model's last answer."""

    def __init__(self) -> None:
        super().__init__()
        self.came_seconds: list[float] = []

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        super().write(image, result)
        self.came_seconds.append(time.monotonic())


def run(folder: Path) -> Table:
    """Play the test picture by the clock: with nothing to follow, one object, and a click every second."""
    # As `mirilla run` loads it: a core is left for the picture.
    model = seeded_slim_sam(folder, threads=max(1, (os.cpu_count() or 1) - 1))
    table = Table("clicks", "pictures a second", "age of a picture, p95", "frames encoded by the model", "encoder, p50")
    for name, every_seconds in (("none", None), ("one", SECONDS), ("one a second", 1)):
        table.add_row(name, *_measured(model, every_seconds))
    return table


def _measured(model: PromptedModel, every_seconds: int | None) -> list[str]:
    sink, before = PacedSink(), model.encoder_runs
    source = PacedSource(PatternSource(PatternSpec(WIDTH, HEIGHT, Fraction(RATE), RATE * SECONDS)))
    step = PointedStep(SureModel(model))
    pipeline = Pipeline(source, [step], [sink], look=Look(hud=False), timing="latest")
    is_over = threading.Event()

    def click() -> None:
        while every_seconds is not None and not is_over.is_set():
            if sink.ages_ms:
                step.click(Point(len(sink.ages_ms) / RATE, (0.5, 0.5)))
                is_over.wait(every_seconds)
            is_over.wait(0.05)

    person = threading.Thread(target=click)
    person.start()
    pipeline.run()
    seconds = sink.came_seconds[-1] - sink.came_seconds[0]
    is_over.set()
    person.join()
    encoder = pipeline.metrics.report({})["stage_ms"].get("encoder", {}).get("p50")
    return [
        f"{(len(sink.came_seconds) - 1) / seconds:.1f}",
        f"{np.percentile(sink.ages_ms, 95):.1f} ms",
        str(model.encoder_runs - before),
        "" if encoder is None else f"{encoder:.0f} ms",
    ]
