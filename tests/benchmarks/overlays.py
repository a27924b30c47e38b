"""Milliseconds of drawing on a 1280x720 picture, beside supervision's annotators in the same run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import supervision
from numpy.typing import NDArray
from rich.table import Table

from models.results import Detections, Result, SegmentationMap
from stream.overlays.drawing import Painter
from tests.benchmarks import scenes
from tests.benchmarks.side_by_side import milliseconds, p50_p95

ROUNDS = 100

Draw = Callable[[NDArray[np.uint8]], object]


class Case(NamedTuple):
    """What is drawn, and within what time."""

    name: str
    result: Result
    limit_ms: float | None


def run(_folder: Path) -> Table:
    """Draw every case in turn with ours and with theirs, and tabulate milliseconds a picture."""
    cases = [
        Case("masks, boxes and labels of 10 objects", scenes.instances(10), 4.0),
        Case("a map of 20 classes", scenes.segmentation_map(20, background=False), 3.0),
        Case("a map of 19 classes and background", scenes.segmentation_map(20, background=True), 3.0),
        Case("boxes and labels of 10 objects", scenes.objects(10), None),
        Case("boxes and labels of 150 objects", scenes.objects(150), None),
    ]
    theirs = f"supervision {supervision.__version__}"
    table = Table("drawn", "p50 ms", "p95 ms", "limit at p50", theirs, "they take")
    for case in cases:
        limit = "" if case.limit_ms is None else f"{case.limit_ms}"
        for name, annotate in _annotators(case.result):
            (p50, p95), beside = _measure(case.result, annotate)
            compared = [f"{name}: {beside:.2f}", f"{beside / p50:.1f} times as long"]
            table.add_row(case.name, f"{p50:.2f}", f"{p95:.2f}", limit, *compared)
    return table


def _measure(result: Result, annotate: Draw) -> tuple[tuple[float, float], float]:
    """Our p50 and p95, and their p50; each draws on a fresh copy, which is not timed."""
    picture = scenes.picture()
    canvas, painter = picture.copy(), Painter()
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: painter.paint(canvas, {"model": result}),
        "theirs": lambda: annotate(canvas),
    }
    times = milliseconds(ways, rounds=ROUNDS, before=lambda: np.copyto(canvas, picture))
    return p50_p95(times["ours"]), p50_p95(times["theirs"])[0]


def _annotators(result: Result) -> list[tuple[str, Draw]]:
    """Their nearest to what we draw, fed with what they take; making that of a result is not timed."""
    if isinstance(result, SegmentationMap):
        class_ids = np.array([class_id for class_id, _ in result.shares()])
        class_ids = class_ids[[result.class_names[class_id] != "background" for class_id in class_ids]]
        masks = np.stack([result.class_map == class_id for class_id in class_ids])
        boxes = supervision.mask_to_xyxy(masks).astype(np.float32)
        found = supervision.Detections(xyxy=boxes, mask=masks, class_id=class_ids)
        return [("masks alone", lambda canvas: supervision.MaskAnnotator().annotate(canvas, found))]
    assert isinstance(result, Detections)
    found = result.to_supervision()
    texts = [f"{label} {score:.0%}" for label, score in zip(result.labels, result.scores, strict=True)]
    mask, box = supervision.MaskAnnotator(), supervision.BoxAnnotator()
    label, unicode_label = supervision.LabelAnnotator(), supervision.RichLabelAnnotator(font_size=15)

    def draw(labels: Any) -> Draw:
        def draw_on(canvas: NDArray[np.uint8]) -> None:
            if result.masks is not None:
                mask.annotate(canvas, found)
            box.annotate(canvas, found)
            labels.annotate(canvas, found, texts)

        return draw_on

    return [("labels in ASCII", draw(label)), ("labels in Unicode", draw(unicode_label))]
