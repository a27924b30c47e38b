"""What a trained sketch network reaches as the package that ships: measured again in ONNX Runtime after the export.

Called by `mirilla train sketch` last; an int8 package is not quite the network that PyTorch measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.manifest import MODEL_NAME, read_manifest, write_manifest
from models.onnx_session import OnnxSession
from models.training.sketch_accuracy import SketchAccuracy
from models.training.sketch_card import write_papers
from models.training.sketch_settings import SketchTrainingSettings
from models.training.trained_sketch import TrainedSketch

_BATCH = 256


def measure_package(package: Path, settings: SketchTrainingSettings, trained: TrainedSketch) -> SketchAccuracy:
    """Measure a package on the held-out drawings, and write what it reaches into its manifest, card and picture.

    Raises:
        ModelError: the package does not load.
    """
    manifest = read_manifest(package)
    session = OnnxSession(package / MODEL_NAME, device="cpu", threads=settings.threads)
    bitmaps = trained.held_out.rendered()[:, None].astype(np.float32) * np.float32(manifest.input.scale)
    batches = (bitmaps[start : start + _BATCH] for start in range(0, len(bitmaps), _BATCH))
    logits = np.concatenate([session.run({manifest.input.name: batch})[manifest.outputs[0]] for batch in batches])
    accuracy = SketchAccuracy.of(logits, trained.held_out.labels)
    shares = {"top1": accuracy.top1, "top5": accuracy.top5}
    write_manifest(manifest.model_copy(update={"accuracy": shares}), package)
    write_papers(package, settings, trained, accuracy)
    return accuracy
