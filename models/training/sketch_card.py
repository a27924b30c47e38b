"""What a training leaves for people: the record of how it went, the model card, the picture of its confusions."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.training.sketch_accuracy import most_confused
from models.training.sketch_settings import (
    QUICKDRAW_CREDIT,
    WEIGHTS_LICENCE,
    EpochReport,
    SketchTrainingSettings,
    TrainedSketch,
)

_MOST_CLASSES_IN_A_MATRIX = 48
_PAIRS_SHOWN = 30


def write_papers(
    settings: SketchTrainingSettings,
    command: str,
    trained: TrainedSketch,
    history: Sequence[EpochReport],
    confusion: NDArray[np.int64],
) -> None:
    """Write `training.json`, `README.md` and `confusion.png` beside the weights; the exporter takes them along.

    `command` makes the weights again: a line for each portion of the training.
    """
    record = {
        "command": command,
        "seed": settings.seed,
        "licence": WEIGHTS_LICENCE,
        "attribution": QUICKDRAW_CREDIT,
        "held_out": {"drawings": trained.held_out_count, "top1": trained.top1, "top5": trained.top5},
        "epochs": [_as_json(report) for report in history],
    }
    folder = trained.checkpoint
    (folder / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(settings, command, trained, confusion), encoding="utf-8")
    draw_confusion(confusion, trained.class_names, folder / "confusion.png")


def _as_json(report: EpochReport) -> dict[str, float | None]:
    """The report; what was not measured is null, for JSON knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in asdict(report).items()}


def model_card(
    settings: SketchTrainingSettings, command: str, trained: TrainedSketch, confusion: NDArray[np.int64]
) -> str:
    """The card in Markdown: what it is, what it was trained on, how good it is, what it cannot do."""
    pairs = most_confused(confusion, trained.class_names, 8)
    confused = "\n".join(f"- {a} and {b}: {share:.1%} of their drawings" for a, b, _, share in pairs)
    return f"""# {settings.output.name}

Names a drawing out of {len(trained.class_names)} categories. Input `pixel_values` float32 (N, 1, 28, 28), 0..1, white
ink on black, drawn and centred as Quick, Draw! draws its bitmaps; output `logits` (N, {len(trained.class_names)}).

- **Data:** {QUICKDRAW_CREDIT}.
- **Weights:** {WEIGHTS_LICENCE}.
- **Measured** on {trained.held_out_count} drawings that were held out (the last {settings.held_out:.0%} of each file):
  top-1 {trained.top1:.4f}, top-5 {trained.top5:.4f}.
- **Made by** (seed {settings.seed}):

```
{command}
```

Most often taken for each other:

{confused}

![What is taken for what](confusion.png)

## Limits

The drawings were made in under twenty seconds with a mouse or a finger, and some are not what they claim to be. Other
styles (shaded, coloured, photographed textures), several things in one drawing, and things outside the categories get
a name from the list all the same: a low score is the only sign.

Categories: {", ".join(trained.class_names)}.
"""


def draw_confusion(confusion: NDArray[np.int64], class_names: Sequence[str], path: Path) -> None:
    """Draw the whole matrix where it is legible, and the most confused pairs where it is not."""
    small = len(class_names) <= _MOST_CLASSES_IN_A_MATRIX
    figure = _matrix_figure(confusion, class_names) if small else _pairs_figure(confusion, class_names)
    # Without the software's version and the date the same figures make the same file.
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _matrix_figure(confusion: NDArray[np.int64], class_names: Sequence[str]) -> Figure:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side_in = 3 + 0.25 * len(class_names)
    figure = Figure(figsize=(side_in, side_in), layout="constrained")
    axes = figure.subplots()
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(class_names)), class_names, rotation=90, fontsize=9)
    axes.set_yticks(range(len(class_names)), class_names, fontsize=9)
    axes.set_xlabel("guessed")
    axes.set_ylabel("drawn")
    axes.set_title("Per cent of the held-out drawings of a row")
    for row, column in zip(*np.nonzero(shares >= 0.0055), strict=True):
        colour = "white" if shares[row, column] > 0.4 else "black"
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    return figure


def _pairs_figure(confusion: NDArray[np.int64], class_names: Sequence[str]) -> Figure:
    pairs = most_confused(confusion, class_names, _PAIRS_SHOWN)[::-1]
    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([f"{a} / {b}" for a, b, _, _ in pairs], [100 * share for *_, share in pairs], color="#3b6ea8")
    axes.bar_label(bars, [f"{times}" for _, _, times, _ in pairs], padding=3, fontsize=8)
    axes.tick_params(axis="y", labelsize=9)
    axes.set_xlabel("per cent of both categories' held-out drawings taken for the other (how many: at the bar)")
    axes.set_title(f"The {len(pairs)} pairs of {len(class_names)} categories taken for each other most")
    return figure
