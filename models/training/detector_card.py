"""What a detector training leaves for people: the record for the exporter, the model card, the training's curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from models.evaluation.charts import draw_training
from models.training.detector_settings import DetectorTrainingSettings
from models.training.trained_detector import TrainedDetector

LICENCE = "Apache-2.0"
CREDIT = (
    "Trained on drawings of Quick, Draw! by Google (quickdraw.withgoogle.com/data), CC BY 4.0; hands of Hand Gesture "
    "Recognition (universe.roboflow.com/lebanese-university-grkoz), CC BY 4.0, and of D. Lee, public domain; portraits "
    "of Clothing Co-Parsing (Yang et al., CVPR 2014), Apache-2.0; photographs of COCO (cocodataset.org), annotations "
    "CC BY 4.0; light of hdBPMN's photographs, CC BY 4.0"
)
CURVES_NAME = "training.png"


def write_record(trained: TrainedDetector, settings: DetectorTrainingSettings, attribution: str | None) -> None:
    """Write `training.json`, from which the exporter takes what a manifest says, and the curves beside the weights."""
    record = {
        "command": trained.command,
        "seed": settings.seed,
        "licence": LICENCE if attribution else None,
        "attribution": attribution,
        "held_out": {},
        "reports": [asdict(report) for report in trained.history],
    }
    (trained.checkpoint / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    draw_curves(trained.checkpoint / CURVES_NAME, trained)


def draw_curves(path: Path, trained: TrainedDetector) -> None:
    """Draw the loss of every step, and mAP and AP50 of every look."""
    steps = [report.step for report in trained.history]
    figures = {"mAP": [report.map for report in trained.history]}
    for name in trained.class_names:
        figures[f"AP50 {name}"] = [report.ap50.get(name) or 0.0 for report in trained.history]
    draw_training(path, trained.losses, steps, figures)


def webcam_card(
    trained: TrainedDetector, settings: DetectorTrainingSettings, accuracy: Mapping[str, float], size_mb: float
) -> str:
    """The card of `webcam-detector` in Markdown: what it is, what it was trained on, how good it is, what it cannot do.

    Args:
        trained: how it came about.
        settings: of the training.
        accuracy: as in the manifest.
        size_mb: of `model.onnx`.
    """
    width, height = settings.size_wh
    measured = "\n".join(f"| {_MEASURED[key]} | {accuracy[key]:.3f} |" for key in _MEASURED if key in accuracy)
    return f"""# webcam-detector

Finds {", ".join(trained.class_names[:-1])} and {trained.class_names[-1]} in a webcam's picture: RT-DETR in a tiny
configuration of transformers, {size_mb:.1f} MB, trained from nothing by this project. Input `pixel_values` float32
(N, 3, {height}, {width}), RGB 0..1, stretched; outputs `logits` and `pred_boxes`.

- **Drawings** are pages composed by `models/training/pages.py` of Quick, Draw! strokes and bitmaps (Google, CC BY 4.0,
  <https://github.com/googlecreativelab/quickdraw-dataset>), before photographs of COCO (annotations CC BY 4.0, images
  under Flickr's terms) and in the light of photographed sheets of hdBPMN (CC BY 4.0).
- **Faces:** photographs of faces, most with masks (CC0 as their collector states), and portraits of Clothing Co-Parsing
  (Yang et al., CVPR 2014, Apache-2.0).
- **Hands:** photographs of Hand Gesture Recognition (<https://universe.roboflow.com/lebanese-university-grkoz>,
  CC BY 4.0), of D. Lee (public domain), and of one man before his webcam (Apache-2.0).
- **Weights:** {LICENCE}. None of the pictures is redistributed.

Measured with `mirilla evaluate` on what never trained (`mirilla train webcam-sets` writes it):

| | |
|---|---:|
{measured}

**Made by** (seed {settings.seed}):

```
{trained.command}
```

![Loss and average precision while it trained]({CURVES_NAME})

## Limits

- Drawings are line drawings on paper, boards and screens. Diagrams and forms are found in parts, or not; handwriting is
  meant to be passed over, and is not always.
- Nearly all faces of the training wear masks or are portraits in the street; profiles and faces in poor light are rare.
- Hands are mostly one or two, near, and raised; hands that hold something are rare.
- The least size is about a thirtieth of the picture's height for drawings and a twelfth for faces.
- No fairness across skin tones, ages or cultures was measured; do not decide anything about people with it.
"""


_MEASURED = {
    "drawing_ap50": "drawings, AP50, 500 pages of drawings never trained on",
    "drawing_ap": "drawings, AP (IoU 0.5 to 0.95), the same pages",
    "face_ap50": "faces of at least 8 % of the picture's height, AP50, held-out photographs and portraits",
    "hand_ap50": "hands, AP50, sessions never trained on",
    "false_drawings": "false drawings a photograph without any, at score 0.5, 28 photographs never seen",
}
