"""Frames a second of recorded video: the limits of the machine, Mirilla, and the loop that one usually writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.table import Table

from models import load_model
from models.package import find_package
from stream.frame_result import FrameResult
from stream.opencv_threads import opencv_on_one_thread
from stream.sinks import make_sink
from stream.sources import open_source
from tests.benchmarks.clips import make_clip
from tests.benchmarks.loops import medians, mirilla, usual_loop

SECONDS = 20
ROUNDS = 3
MODEL = "quickdraw-32"


def run(folder: Path) -> Table:
    """Measure every way in turn, several rounds, and tabulate the medians."""
    clip = make_clip(folder, seconds=SECONDS)
    ways: dict[str, Callable[[], float]] = {
        "decoding alone": lambda: decoding(clip),
        "encoding alone, our settings": lambda: encoding(clip, folder / "encoded.mp4"),
        "mirilla without a model": lambda: with_sketches(clip, folder / "plain.mp4", None),
        "mirilla with the sketch model": lambda: with_sketches(clip, folder / "sketch.mp4", MODEL),
        "the usual loop with the sketch model": lambda: sketches_the_usual_way(clip, folder / "usual.mp4"),
    }
    decode, encode, plain, sketch, usual = medians(ways, ROUNDS)
    limit = 1 / (1 / decode + 1 / encode)
    table = Table("way", "frames a second", "beside")
    beside = [
        "",
        "",
        f"{plain / limit:.2f} of the limit of two full cores, {limit:.0f}",
        f"{sketch / usual:.2f} of the usual loop",
        "writes mp4v (MPEG-4 part 2), no sound, no time stamps",
    ]
    for way, fps, remark in zip(ways, (decode, encode, plain, sketch, usual), beside, strict=True):
        table.add_row(way, f"{fps:.1f}", remark)
    return table


def decoding(clip: Path) -> float:
    """Frames a second of decoding to BGR with libav's own threads."""
    frames, began = 0, time.perf_counter()
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            frame.to_ndarray(format="bgr24")
            frames += 1
    return frames / (time.perf_counter() - began)


def encoding(clip: Path, output: Path) -> float:
    """Frames a second of our sink, fed with frames that lie in memory; without sound."""
    source = open_source(clip)
    frames = [FrameResult(frame) for frame in source]
    sink = make_sink(str(output), overwrite=True)
    sink.open(source.info)
    began = time.perf_counter()
    for result in frames:
        sink.write(result.frame.image, result)
    sink.close()
    return len(frames) / (time.perf_counter() - began)


def with_sketches(clip: Path, output: Path, model: str | None) -> float:
    """Frames a second of the whole frame loop; loading the model is not timed."""
    with opencv_on_one_thread():
        return mirilla([load_model(model)] if model else [], clip, output)


def sketches_the_usual_way(clip: Path, output: Path) -> float:
    """Frames a second of what one usually writes, with the sketch model."""
    package = find_package(MODEL)
    session = onnxruntime.InferenceSession(str(package.model_path), providers=["CPUExecutionProvider"])

    def annotated(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        _, ink = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        drawing = cv2.resize(ink, (28, 28), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        logits = session.run(None, {"pixel_values": drawing[None, None]})[0][0]
        scores = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        for row, class_id in enumerate(np.argsort(-scores)[:5]):
            text = f"{package.manifest.class_names[class_id]} {scores[class_id]:.0%}"
            cv2.putText(image, text, (20, 40 + 32 * row), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
        return image

    return usual_loop(annotated, clip, output)
