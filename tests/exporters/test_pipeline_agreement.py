"""A package that the exporter wrote says of photographs what the transformers pipeline says of the PyTorch model.

Everything on the way is in it: the checkpoint's own picture processor, the export, the manifest and the decoder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from exporters.export import export_package
from models import Classification, Detections, Model, SegmentationMap, load_model
from models.manifest import MANIFEST_NAME
from models.networks.unet import UNet
from tests.exporters.checkpoints import write_checkpoint
from tests.models.pipeline_comparison import (
    SCORE_TOLERANCE,
    THRESHOLD,
    expected_detections,
    expected_map,
    pictures,
    unmatched,
)
from tests.models.seeded_checkpoints import LABELS, save, transformers


def exported(folder: Path, architecture: str, threshold: float | None = None) -> tuple[Path, Model]:
    """The checkpoint's folder, and the model that runs the package made of it."""
    checkpoint, _ = save(folder, architecture)
    package = export_package(checkpoint, folder / "package")
    assert (package / MANIFEST_NAME).is_file()
    return checkpoint, load_model(package, device="cpu", threads=1, threshold=threshold)


@pytest.mark.parametrize("architecture", ["detr", "yolos", "rt_detr"])
def test_a_detector_finds_what_the_pipeline_finds(architecture: str, tmp_path: Path, test_data: Path) -> None:
    checkpoint, model = exported(tmp_path, architecture, THRESHOLD - SCORE_TOLERANCE)
    pipeline: Any = transformers.pipeline("object-detection", model=str(checkpoint), device="cpu")
    count = 0
    for path, image in pictures(test_data):
        expected, found = expected_detections(pipeline, path, image), model(image)
        assert isinstance(found, Detections)
        assert unmatched(expected, found) == []
        assert unmatched(found, expected) == []
        count += len(found)
    assert count >= 3


def test_segformer_labels_what_the_pipeline_labels(tmp_path: Path, test_data: Path) -> None:
    checkpoint, model = exported(tmp_path, "segformer")
    pipeline: Any = transformers.pipeline("image-segmentation", model=str(checkpoint), device="cpu")
    for path, image in pictures(test_data):
        expected, found = expected_map(pipeline, path, image.shape[:2]), model(image)
        assert isinstance(found, SegmentationMap)
        assert len(np.unique(expected)) >= 3
        assert (found.class_map == expected).mean() >= 0.995


@pytest.mark.parametrize("name", ["unet", "unet-binary"])
def test_unet_labels_what_torch_labels(tmp_path: Path, test_data: Path, name: str) -> None:
    """No pipeline takes a network without a processor: Pillow and torch alone stand for one."""
    checkpoint = write_checkpoint(name, tmp_path / "checkpoint")
    model = load_model(export_package(checkpoint, tmp_path / "package"), device="cpu", threads=1)
    network = UNet.from_pretrained(checkpoint).train(mode=False)
    for path, image in pictures(test_data):
        small = Image.open(path).convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.asarray(small, np.float32) / 255).permute(2, 0, 1)[None]
        with torch.inference_mode():
            logits = network(pixels).logits
        whole = torch.nn.functional.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)[0]
        expected = (whole[0] > 0).numpy() if len(whole) == 1 else whole.argmax(dim=0).numpy()
        found = model(image)
        assert isinstance(found, SegmentationMap)
        assert (found.class_map == expected).mean() >= 0.995


def test_vit_names_what_the_pipeline_names(tmp_path: Path, test_data: Path) -> None:
    checkpoint, model = exported(tmp_path, "vit")
    pipeline: Any = transformers.pipeline("image-classification", model=str(checkpoint), device="cpu")
    seen: list[float] = []
    for path, image in pictures(test_data):
        expected = {row["label"]: row["score"] for row in pipeline(str(path), top_k=len(LABELS))}
        found = model(image)
        assert isinstance(found, Classification)
        assert found.labels[0] == max(expected, key=lambda label: expected[label])
        assert dict(zip(found.labels, found.scores.tolist(), strict=True)) == pytest.approx(expected, abs=0.01)
        seen += expected.values()
    # The classes are told apart, and the pictures too.
    assert np.ptp(seen) > 0.1
