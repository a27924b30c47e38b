"""The two ways from file to file that benchmarks compare: our frame loop, and the loop that one usually writes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models import Model
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.sinks import make_sink
from stream.sources import open_source


def mirilla(models: Sequence[Model], clip: Path, output: Path) -> float:
    """Frames a second of the whole frame loop, with the HUD, to H.264 with sound and time stamps."""
    metrics = Metrics([model.name for model in models])
    pipeline = Pipeline(open_source(clip), models, [make_sink(str(output), overwrite=True)], metrics=metrics)
    began = time.perf_counter()
    pipeline.run()
    return metrics.snapshot().written / (time.perf_counter() - began)


def usual_loop(annotated: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], clip: Path, output: Path) -> float:
    """Frames a second of read, annotate, write, one after the other, with OpenCV alone: mp4v, no sound, no time stamps.

    Args:
        annotated: a picture uint8 (H, W, 3), BGR, with what a model says of it; may be the same one.
        clip: what is read.
        output: what is written.
    """
    capture = cv2.VideoCapture(str(clip))
    size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(output), cv2.VideoWriter.fourcc(*"mp4v"), capture.get(cv2.CAP_PROP_FPS), size)
    frames, began = 0, time.perf_counter()
    while True:
        read, image = capture.read()
        if not read:
            break
        writer.write(annotated(np.asarray(image, np.uint8)))
        frames += 1
    writer.release()
    capture.release()
    return frames / (time.perf_counter() - began)


def medians(ways: Mapping[str, Callable[[], float]], rounds: int) -> list[float]:
    """What each way gives, in their order: the median of several rounds in turn."""
    measured = [[measure() for measure in ways.values()] for _ in range(rounds)]
    return [statistics.median(values) for values in zip(*measured, strict=True)]
