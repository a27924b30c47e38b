"""What a trained segmentation network reaches as the package that ships: measured by `mirilla evaluate` itself.

Called by `mirilla train` last; writes the training's record, the model card and the picture of its curves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from models.evaluation.charts import draw_training
from models.evaluation.evaluate import evaluate
from models.evaluation.evaluation import Evaluation
from models.manifest import read_manifest, write_manifest
from models.training.segmenter_settings import Kind, SegmenterSettings
from models.training.train_segmenter import TrainedSegmenter

_PEOPLE_CREDIT = (
    "Trained on Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014), Apache-2.0, before photographs of COCO "
    "(annotations CC BY 4.0, images under Flickr's terms)"
)
_DRAWINGS_CREDIT = "Trained on drawings of Quick, Draw! by Google (quickdraw.withgoogle.com/data), CC BY 4.0"
_CREDITS: dict[Kind, str | None] = {
    "person-segmenter": _PEOPLE_CREDIT,
    "drawing-segmenter": _DRAWINGS_CREDIT,
    "unet": None,
}
_LICENCES: dict[Kind, str | None] = {
    "person-segmenter": "Apache-2.0 (weights and portraits)",
    "drawing-segmenter": "Apache-2.0 (weights), CC-BY-4.0 (training data)",
    "unet": None,
}
_WORDS: dict[Kind, str] = {
    "person-segmenter": "Tells people before a webcam, with what they hold up to it, from what is behind them.",
    "drawing-segmenter": "Tells the ink of drawings from what they are drawn on.",
    "unet": "Names every pixel of a picture.",
}
_LIMITS: dict[Kind, str] = {
    "person-segmenter": (
        "The portraits are of adults, standing in streets by daylight; people from behind, lying, far away or in "
        "crowds are not what it was shown. Rooms, other light, raised hands with their forearms and sheets of paper "
        "are put together by the training script. It says where people are and nothing of who they are."
    ),
    "drawing-segmenter": (
        "The pages are composed by the training script; shading, print and handwriting were not shown to it as "
        "drawings."
    ),
    "unet": "What its training pictures do not show, it does not know.",
}


def write_record(trained: TrainedSegmenter, settings: SegmenterSettings, *, is_own_data: bool) -> None:
    """Write `training.json` beside the weights, from which the exporter takes what a manifest says of the training.

    Args:
        trained: a finished training.
        settings: of it.
        is_own_data: whether the user's own pictures were trained on, of whose licence nothing is known here.
    """
    record = {
        "command": trained.command,
        "seed": settings.seed,
        "licence": None if is_own_data else _LICENCES[settings.kind],
        "attribution": None if is_own_data else _CREDITS[settings.kind],
        "held_out": {},
        "reports": [asdict(report) for report in trained.history],
    }
    (settings.output / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def measure_package(
    package: Path,
    held_out: Path,
    settings: SegmenterSettings,
    trained: TrainedSegmenter,
    on_progress: Callable[[int, int], None],
) -> Evaluation:
    """Evaluate a package on a folder of pairs, and write what it reaches into its manifest, card and pictures.

    Raises:
        MirillaError: the package does not load, or the pairs are damaged.
    """
    found = evaluate(package, held_out, on_progress=on_progress)
    manifest = read_manifest(package)
    shares = {name: round(value, 4) for name, value in found.figures.items() if value is not None}
    if len(found.classes) == 2 and found.classes[1]["iou"] is not None:
        shares = {"iou": round(float(found.classes[1]["iou"]), 4), **shares}
    manifest = manifest.model_copy(update={"accuracy": shares})
    write_manifest(manifest, package)
    credit = manifest.source.attribution
    (package / "README.md").write_text(_card(package.name, settings, trained, found, credit), encoding="utf-8")
    draw_training(
        package / "training.png",
        [report.loss for report in trained.history for _ in range(settings.report_every)],
        [report.step for report in trained.history],
        {"validation IoU": [report.iou for report in trained.history]},
    )
    return found


def _card(
    name: str, settings: SegmenterSettings, trained: TrainedSegmenter, found: Evaluation, credit: str | None
) -> str:
    """The card in Markdown: what it is, what it was trained on, how good it is, what it cannot do."""
    rows = "\n".join(f"| {row['class']} | {_share(row['iou'])} | {_share(row['accuracy'])} |" for row in found.classes)
    where = f"{found.pictures} held-out pictures"
    if settings.held_out == 0:
        where = f"the {found.pictures} pictures that it was trained on, which says that it can learn and no more"
    return f"""# {name}

{_WORDS[settings.kind]} Input `pixel_values` float32 (N, 3, {settings.size}, {settings.size}), the whole picture
stretched to it; output `logits`.

- **Data:** {credit or "the user's own pictures and masks"}.
- **Measured** on {where}, by `mirilla evaluate`:

| class | IoU | pixels found |
|---|---:|---:|
{rows}

- **Made by** (seed {settings.seed}):

```
{trained.command}
```

![Loss and IoU over the training](training.png)

## Limits

{_LIMITS[settings.kind]}
"""


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
