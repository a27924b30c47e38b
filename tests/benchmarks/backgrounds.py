"""Processor time of putting something behind a person on a 1280x720 picture, beside `isolate`, whose edge is hard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from rich.table import Table

from models.results import SegmentationMap
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.motion import Carrier
from stream.overlays.background import Background
from stream.overlays.emphasis import Emphasis
from tests.benchmarks import scenes
from tests.benchmarks.side_by_side import milliseconds, p50_p95
from tests.stream.doubles import TIME_BASE

ROUNDS = 100


def run(_folder: Path) -> Table:
    """Change the same picture in every way in turn, and tabulate milliseconds a picture."""
    picture, person = scenes.picture(), _person()
    canvas, results = picture.copy(), {"people": person}
    another = cv2.GaussianBlur(scenes.picture()[:540, :960], (0, 0), 3).astype(np.uint8)
    kinds = {"blur": Background("blur"), "white": Background("white"), "another picture": Background(another)}
    seconds = iter(number / 30 for number in range(10**6))
    ways: dict[str, Callable[[], object]] = {
        f"background: {name}": lambda kind=kind: kind.apply(canvas, results, next(seconds))  # type: ignore[misc]
        for name, kind in kinds.items()
    }
    ways |= {
        f"isolate: person:{rest}": lambda rest=rest: Emphasis("person", rest).apply(canvas, results)  # type: ignore[misc]
        for rest in ("blur", "white")
    }
    ways["a map carried to the next picture"] = _carried(person)
    times = milliseconds(ways, rounds=ROUNDS, before=lambda: np.copyto(canvas, picture), clock=time.process_time)
    table = Table("what", "p50 ms of processor time", "p95")
    for name, times_ms in times.items():
        p50, p95 = p50_p95(times_ms)
        table.add_row(name, f"{p50:.2f}", f"{p95:.2f}")
    return table


def _person() -> SegmentationMap:
    """Head and shoulders, a third of the picture."""
    class_map = np.zeros((scenes.HEIGHT, scenes.WIDTH), np.uint16)
    cv2.ellipse(class_map, (640, 280), (120, 160), 0, 0, 360, (1,), -1)
    cv2.ellipse(class_map, (640, 760), (380, 340), 0, 0, 360, (1,), -1)
    return SegmentationMap("semantic_segmentation", class_map, ("background", "person"))


def _carried(result: SegmentationMap) -> Callable[[], object]:
    image = cv2.GaussianBlur(scenes.picture(), (0, 0), 5).astype(np.uint8)
    frames = [Frame(np.roll(image, 4 * index, 1), index, TIME_BASE, index, 0) for index in range(2)]
    seen = FrameResult(frames[1], {"people": result}, found_on={"people": frames[0]})
    return lambda: Carrier().carried(seen)
