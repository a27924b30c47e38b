"""What a click costs: SlimSAM at its true size, with seeded weights, on a picture of 1280x720."""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from optimum.exporters.onnx import main_export
from rich.table import Table

from exporters.parity_inputs import drawn_photo
from models.prompted_model import PromptedModel, load_prompted_model
from models.prompts import ObjectPrompt
from tests.models.sam_checkpoints import SLIM_77, build_sam, save_sam

_PICTURES, _CLICKS = 3, 20
_TRUE_DEPTH = {"num_hidden_layers": 12, "global_attn_indexes": [2, 5, 8, 11]}


class _Stages:
    """A timer that keeps every pass through every stage, in milliseconds."""

    def __init__(self) -> None:
        self.spent_ms: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.spent_ms[stage].append(1000 * (time.perf_counter() - began))


def seeded_slim_sam(folder: Path, threads: int | None = None) -> PromptedModel:
    """SlimSAM-77 at its true size, exported from seeded weights."""
    checkpoint = save_sam(*build_sam({**SLIM_77, **_TRUE_DEPTH}, 1024), folder / "checkpoint")
    with warnings.catch_warnings():
        # Torch announces its next exporter on every call.
        warnings.simplefilter("ignore")
        main_export(str(checkpoint), folder / "onnx", task="feature-extraction", do_validation=False, batch_size=1)
    return load_prompted_model(folder / "onnx", threads=threads)


def run(folder: Path) -> Table:
    """Click on pictures, with each picture's embedding kept, and tell the halves apart."""
    model = seeded_slim_sam(folder)
    photo = drawn_photo(720, 1280)[..., ::-1]
    stages, whole_ms = _Stages(), []
    random = np.random.default_rng(1)
    for number in range(_PICTURES + 1):
        image = np.ascontiguousarray(np.roll(photo, 40 * number, axis=1))
        for x, y in random.uniform(0, 720, (_CLICKS, 2)).tolist():
            began = time.perf_counter()
            model.segment(model.embed(image, stages), [ObjectPrompt(((x, y),))], timer=stages)
            whole_ms.append(1000 * (time.perf_counter() - began))
        if number == 0:
            # The first picture warms both halves up.
            stages, whole_ms = _Stages(), []
    table = Table("stage", "milliseconds, median", "runs")
    for stage, spent in stages.spent_ms.items():
        table.add_row(stage, f"{median(spent):.1f}", str(len(spent)))
    first, later = whole_ms[::_CLICKS], [spent for row, spent in enumerate(whole_ms) if row % _CLICKS]
    table.add_row("the first click on a picture", f"{median(first):.1f}", str(len(first)))
    table.add_row("every later one", f"{median(later):.1f}", str(len(later)))
    return table
