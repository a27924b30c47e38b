"""DETR with masks and MaskFormer say what transformers' own post-processing says of the PyTorch model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from exporters.export import ExportOptions, export_package
from exporters.export_tasks import EXPORT_TASKS
from models import Detections, Model, load_model
from models.manifest import DecodingSpec, read_manifest, write_manifest
from models.package import find_package
from tests.models.seeded_checkpoints import export, save, transformers

THRESHOLD = 0.3
SCORE_TOLERANCE = 0.01
# Seeded weights draw masks in pieces that lie over one another; trained ones hold to 0.8.
LEAST_VISIBLE = 0.3


@pytest.fixture(scope="module")
def photos(test_data: Path) -> dict[Path, NDArray[np.uint8]]:
    """Portrait and landscape, all of odd shapes."""
    return {path: np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted((test_data / "images").glob("*.jpg"))}


def exported(folder: Path, architecture: str, **options: Any) -> tuple[Path, Path]:
    """A seeded checkpoint, and the package that `mirilla export` makes of it."""
    checkpoint, _ = save(folder, architecture)
    package = export_package(checkpoint, folder / architecture, ExportOptions(**options))
    manifest = read_manifest(package)
    write_manifest(manifest.model_copy(update={"decoding": DecodingSpec(least_visible=LEAST_VISIBLE)}), package)
    return checkpoint, package


def strangers(
    wanted: list[tuple[str, float, NDArray[np.bool_]]], others: list[tuple[str, float, NDArray[np.bool_]]]
) -> list[tuple[str, float]]:
    """What is wanted well above the threshold, and has no counterpart of its own among others."""
    free = list(others)
    left = []
    for label, score, mask in sorted(wanted, key=lambda one: -one[1]):
        alike = [
            other
            for other in free
            if other[0] == label
            and abs(other[1] - score) <= SCORE_TOLERANCE
            and np.count_nonzero(other[2] & mask) >= 0.98 * np.count_nonzero(other[2] | mask)
        ]
        if alike:
            free = [other for other in free if other is not alike[0]]
        elif score > THRESHOLD + SCORE_TOLERANCE:
            left.append((label, score))
    return left


def said(model: Model, image: NDArray[np.uint8]) -> list[tuple[str, float, NDArray[np.bool_]]]:
    found = model(image)
    assert isinstance(found, Detections)
    assert found.masks is not None
    assert found.masks.shape[1:] == image.shape[:2]
    for box, mask in zip(found.boxes_xyxy, found.masks, strict=True):
        rows, columns = np.nonzero(mask)
        assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return list(zip(found.labels, found.scores.tolist(), found.masks, strict=True))


@pytest.mark.parametrize("architecture", ["detr_masks", "maskformer"])
def test_segments_are_those_of_the_pipeline(
    architecture: str, tmp_path: Path, photos: dict[Path, NDArray[np.uint8]]
) -> None:
    checkpoint, package = exported(tmp_path, architecture)
    assert read_manifest(package).decoder == "query_masks"
    pipeline = transformers.pipeline("image-segmentation", model=str(checkpoint), device="cpu")
    model = load_model(package, device="cpu", threshold=THRESHOLD)
    total = 0
    for path, image in photos.items():
        answer = pipeline(str(path), threshold=THRESHOLD, overlap_mask_area_threshold=LEAST_VISIBLE)
        expected = [(one["label"], one["score"], np.asarray(one["mask"]) > 0) for one in answer]
        found = said(model, image)
        assert strangers(expected, found) == []
        assert strangers(found, expected) == []
        total += len(found)
    assert total >= 6


def test_objects_of_maskformer_are_those_of_its_processor(
    tmp_path: Path, photos: dict[Path, NDArray[np.uint8]]
) -> None:
    checkpoint, package = exported(tmp_path, "maskformer", task="instance-segmentation")
    assert read_manifest(package).decoder == "maskformer_instances"
    processor = transformers.AutoImageProcessor.from_pretrained(checkpoint)
    network = transformers.AutoModelForInstanceSegmentation.from_pretrained(checkpoint)
    model = load_model(package, device="cpu", threshold=THRESHOLD)
    overlapping = 0
    for image in photos.values():
        inputs = processor(images=image[..., ::-1], return_tensors="pt")
        with torch.inference_mode():
            outputs = network(**inputs)
        answer = processor.post_process_instance_segmentation(
            outputs, threshold=THRESHOLD, target_sizes=[image.shape[:2]], return_binary_maps=True
        )[0]
        names = network.config.id2label
        expected = [
            (names[segment["label_id"]], segment["score"], mask.numpy() == 1)
            for segment, mask in zip(answer["segments_info"], answer["segmentation"], strict=True)
        ]
        found = said(model, image)
        assert strangers(expected, found) == []
        assert strangers(found, expected) == []
        overlapping += int((np.sum([mask for *_, mask in found], axis=0) > 1).sum())
    assert overlapping


def test_a_folder_as_optimum_writes_it_loads(tmp_path: Path) -> None:
    _, folder = export(tmp_path, "detr_masks")
    manifest = find_package(folder).manifest
    assert (manifest.task, manifest.decoder) == ("instance_segmentation", "query_masks")
    assert manifest.outputs == ("logits", "pred_masks")


def test_the_inferred_task_is_the_first_that_a_head_has() -> None:
    rows = [task.name for task in EXPORT_TASKS if "MaskFormerForInstanceSegmentation".endswith(task.heads)]
    assert rows == ["image-segmentation", "instance-segmentation"]
