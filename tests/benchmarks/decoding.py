"""Milliseconds from a segmentation network's outputs to masks of a 1280x720 picture: what tasks do after the model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from models.manifest import Manifest
from models.placement import Placement
from models.results import Detections, ResultFilter
from models.tasks import find_task
from tests.benchmarks.scenes import HEIGHT, WIDTH
from tests.benchmarks.side_by_side import milliseconds, p50_p95

ROUNDS = 50
OBJECTS = 10

Outputs = Mapping[str, NDArray[np.float32]]


def run(_folder: Path) -> Table:
    """Decode outputs of each kind in turn, made by code with the shapes that networks give."""
    cases: dict[str, tuple[Manifest, Outputs, int]] = {
        "a map of 150 classes, of 128x128, as SegFormer's": (_semantic("argmax", 150), _regions(150, 128), 512),
        "a map of 21 classes, of 32x32, as DeepLabV3's": (_semantic("argmax", 21), _regions(21, 32), 512),
        "a map of one logit, of 256x256, as a U-Net's": (_semantic("binary", 2), _regions(1, 256), 256),
        f"masks of {OBJECTS} objects, of 160x160, as Ultralytics'": (_instances("ultralytics_grid"), _heads(), 640),
        f"masks of {OBJECTS} objects, of 200x200, as DETR's": (_instances("query_masks"), _queries(), 800),
    }
    ways = {}
    for name, (manifest, outputs, side) in cases.items():
        task = find_task(manifest).make(manifest, ResultFilter(threshold=0.5))
        placement = Placement((WIDTH, HEIGHT), (side, side), (side, side))
        ways[name] = partial(task.postprocess, outputs, placement)
        found = task.postprocess(outputs, placement)
        assert not isinstance(found, Detections) or len(found) == OBJECTS
    table = Table("decoded", "p50 ms", "p95 ms")
    for name, times_ms in milliseconds(ways, rounds=ROUNDS).items():
        p50, p95 = p50_p95(times_ms)
        table.add_row(name, f"{p50:.2f}", f"{p95:.2f}")
    return table


def _semantic(decoder: str, class_count: int) -> Manifest:
    return _manifest("semantic_segmentation", decoder, ("logits",), class_count)


def _instances(decoder: str) -> Manifest:
    outputs = {"ultralytics_grid": ("output0", "output1"), "query_masks": ("logits", "pred_masks")}
    return _manifest("instance_segmentation", decoder, outputs[decoder], 80)


def _manifest(task: str, decoder: str, outputs: tuple[str, ...], class_count: int) -> Manifest:
    fields: dict[str, Any] = {
        "name": decoder,
        "task": task,
        "decoder": decoder,
        "input": {"height": 640, "width": 640, "resize": "stretch"},
        "outputs": outputs,
        "class_names": [f"class {number}" for number in range(class_count)],
        "source": {"id": "benchmarks"},
        "opset": 18,
    }
    return Manifest.model_validate(fields)


def _regions(class_count: int, side: int) -> Outputs:
    """Logits with regions of some classes that have soft borders, most classes far below, as in pictures."""
    chance = np.random.default_rng(0)
    coarse = (chance.normal(0, 3, (class_count, 6, 6)) + chance.normal(0, 4, (class_count, 1, 1))).astype(np.float32)
    planes = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in coarse]
    return {"logits": np.stack(planes)[None].astype(np.float32)}


def _heads() -> Outputs:
    """Boxes of 80 to 240 pixels that lie apart, at a few of 8,400 cells, each with a disc as its mask."""
    cells = np.zeros((1, 4 + 80 + 32, 8400), np.float32)
    planes = np.zeros((1, 32, 160, 160), np.float32)
    for row, (x, y, radius) in enumerate(_discs(160)):
        cells[0, :4, row * 100] = np.array([x, y, 2 * radius, 2 * radius]) * 4
        cells[0, 4 + row, row * 100] = cells[0, 84 + row, row * 100] = 0.9
        planes[0, row] = _disc(160, x, y, radius)
    return {"output0": cells, "output1": planes}


def _queries() -> Outputs:
    """A hundred queries, of which a few are sure of a disc each and the others of nothing."""
    logits = np.zeros((1, 100, 81), np.float32)
    logits[0, :, 80] = 10
    planes = np.full((1, 100, 200, 200), -10, np.float32)
    for row, (x, y, radius) in enumerate(_discs(200)):
        logits[0, row, row], logits[0, row, 80] = 10, 0
        planes[0, row] = _disc(200, x, y, radius)
    return {"logits": logits, "pred_masks": planes}


def _discs(side: int) -> list[tuple[float, float, float]]:
    """Centres and radii in a square: five columns, two rows, each smaller than the last."""
    return [
        (side * (0.1 + 0.2 * (number % 5)), side * (0.3 + 0.4 * (number // 5)), side * (0.1 - 0.003 * number))
        for number in range(OBJECTS)
    ]


def _disc(side: int, x: float, y: float, radius: float) -> NDArray[np.float32]:
    """Logits float32 (side, side): above 0 within the disc, below it outside."""
    rows, columns = np.ogrid[:side, :side]
    return np.asarray(radius - np.hypot(columns - x, rows - y), np.float32)
