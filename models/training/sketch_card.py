"""What a training leaves for people: the record of how it went, the model card, the picture of its confusions."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.evaluation.charts import draw_confusion
from models.training.sketch_accuracy import SketchAccuracy, most_confused
from models.training.sketch_settings import QUICKDRAW_CREDIT, WEIGHTS_LICENCE, SketchTrainingSettings
from models.training.trained_sketch import EpochReport, TrainedSketch


def write_record(trained: TrainedSketch, seed: int) -> None:
    """Write `training.json` beside the weights, from which the exporter takes what a manifest says of the training."""
    accuracy = trained.accuracy
    record = {
        "command": trained.command,
        "seed": seed,
        "licence": WEIGHTS_LICENCE,
        "attribution": QUICKDRAW_CREDIT,
        "held_out": {"drawings": accuracy.count, "top1": accuracy.top1, "top5": accuracy.top5},
        "epochs": [_as_json(report) for report in trained.history],
    }
    (trained.checkpoint / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def write_papers(
    folder: Path, settings: SketchTrainingSettings, trained: TrainedSketch, accuracy: SketchAccuracy
) -> None:
    """Write `README.md` and `confusion.png` into a folder with weights of which `accuracy` was measured."""
    (folder / "README.md").write_text(model_card(settings, trained, accuracy), encoding="utf-8")
    title = f"{accuracy.count} held-out drawings"
    # No column for other classes: a sketch network always names one of its own.
    draw_confusion(folder / "confusion.png", title, np.pad(accuracy.confusion, ((0, 0), (0, 1))), trained.class_names)


def _as_json(report: EpochReport) -> dict[str, float | None]:
    """The report; what was not measured is null, for JSON knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in asdict(report).items()}


def model_card(settings: SketchTrainingSettings, trained: TrainedSketch, accuracy: SketchAccuracy) -> str:
    """The card in Markdown: what it is, what it was trained on, how good it is, what it cannot do."""
    pairs = most_confused(accuracy.confusion, trained.class_names, 8)
    confused = "\n".join(f"- {a} and {b}: {share:.1%} of their drawings" for a, b, _, share in pairs)
    return f"""# {settings.output.name}

Names a drawing out of {len(trained.class_names)} categories. Input `pixel_values` float32 (N, 1, 28, 28), 0..1, white
ink on black, drawn and centred as Quick, Draw! draws its bitmaps; output `logits` (N, {len(trained.class_names)}).

- **Data:** {QUICKDRAW_CREDIT}.
- **Weights:** {WEIGHTS_LICENCE}.
- **Measured** on {accuracy.count} drawings that were held out (the last {settings.held_out:.0%} of each file):
  top-1 {accuracy.top1:.4f}, top-5 {accuracy.top5:.4f}.
- **Made by** (seed {settings.seed}):

```
{trained.command}
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
