"""What `skip_unchanged` saves, and what it costs: YOLOX over people who walk, and stand, and are gone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from models.evaluation.matching import box_overlaps
from models.results import Detections
from stream.infer_stage import InferStage
from stream.model_step import ModelStep
from stream.motion import Carrier
from stream.sources import open_source
from tests.benchmarks.carrying import PEOPLE, people_in
from tests.benchmarks.detectors import NO_DATA, load_yolox, weights

_SAME_OBJECT_IOU = 0.5


def run(folder: Path) -> Table:
    """The infer stage and the carrying, with and without it, over the same frames in memory."""
    table = Table("skip_unchanged", "model ran on", "frames a second", "beside", "agreement", "mean IoU")
    data = weights()
    if data is None:
        table.add_row(NO_DATA)
        return table
    frames, model = list(open_source(data.parent / PEOPLE)), load_yolox(data, folder)
    every_frame: list[Detections] = []
    first_fps = 0.0
    for skips in (False, True):
        stage, carrier = InferStage([ModelStep(model, skip_unchanged=skips)]), Carrier()
        shown, ran = [], 0
        began = time.perf_counter()
        for frame in frames:
            seen = carrier.carried(stage.look(frame))
            ran += not seen.carried
            shown.append(people_in(seen.results[model.name]))
        fps = len(frames) / (time.perf_counter() - began)
        first_fps = first_fps or fps
        every_frame = every_frame or shown
        agreement, iou = agreement_of(shown, every_frame)
        share = f"{ran} of {len(frames)} frames"
        beside = f"{fps / first_fps:.2f}x"
        table.add_row(str(skips).lower(), share, f"{fps:.0f}", beside, f"{agreement:.3f}", f"{iou:.3f}")
    return table


def agreement_of(shown: Sequence[Detections], expected: Sequence[Detections]) -> tuple[float, float]:
    """F1 of boxes at IoU 0.5 with those found on every frame, and the mean IoU of those that match."""
    matched: list[float] = []
    total = sum(len(one) for one in shown) + sum(len(one) for one in expected)
    for one, other in zip(shown, expected, strict=True):
        fit = box_overlaps(one.boxes_xyxy, other.boxes_xyxy)
        while fit.size and fit.max() >= _SAME_OBJECT_IOU:
            matched.append(float(fit.max()))
            row, column = np.unravel_index(fit.argmax(), fit.shape)
            fit = np.delete(np.delete(fit, row, axis=0), column, axis=1)
    return 2 * len(matched) / max(total, 1), float(np.mean(matched)) if matched else 0.0
