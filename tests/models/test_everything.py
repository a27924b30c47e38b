"""The masks of everything are those of transformers' mask generation pipeline on the same seeded weights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from exporters.export import export_package
from exporters.parity_inputs import drawn_photo
from models.errors import PromptError
from models.everything import GridSpec, segment_everything
from models.prompted_model import PromptedModel, load_prompted_model
from tests.exporters.checkpoints import ARCHITECTURES, build
from tests.models.sam_checkpoints import mask_iou, save_sam

# Seeded weights say of masks whatever they like: thresholds at which some pass and some do not.
LEAST_IOU, LEAST_STABILITY, OFFSET, NMS_IOU, SIDE = -0.3, 0.3, 0.05, 0.7, 6


def plain_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Any:  # noqa: ARG001 - torchvision's
    """`torchvision.ops.batched_nms` for one class, by its documentation; torchvision itself is not installed here."""
    left = torch.argsort(scores, descending=True, stable=True).tolist()
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[left, :2])
        high = torch.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
        overlaps = shared / (area[best] + area[left] - shared)
        left = [row for row, overlap in zip(left, overlaps.tolist(), strict=True) if not overlap > iou_threshold]
    return torch.tensor(kept, dtype=torch.int64)


@pytest.fixture(scope="module")
def network() -> Any:
    """Seeded, but for one channel that lowers all logits: masks are blots then, not noise all over the picture."""
    network: Any = build("sam")
    decoder = network.mask_decoder
    with torch.no_grad():
        decoder.upscale_conv2.weight[:, 0] = 0
        decoder.upscale_conv2.bias[0] = 10
        for layers in decoder.output_hypernetworks_mlps:
            layers.proj_out.weight[0] = 0
            layers.proj_out.bias[0] = -0.03
    return network


@pytest.fixture(scope="module")
def package(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam")
    checkpoint = save_sam(network, processor(), folder / "checkpoint")
    return export_package(checkpoint, folder / "sam")


def processor() -> Any:
    make = ARCHITECTURES["sam"].processor
    assert make is not None
    return make()


@pytest.fixture
def model(package: Path) -> PromptedModel:
    return load_prompted_model(package, device="cpu", threads=1)


@pytest.mark.parametrize(("width", "height"), [(90, 64), (45, 83)])
def test_as_the_pipeline(
    model: PromptedModel, network: Any, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    judge: Any = importlib.import_module("transformers.models.sam.image_processing_sam")
    monkeypatch.setattr(judge, "batched_nms", plain_nms, raising=False)
    pipeline: Any = importlib.import_module("transformers").pipeline
    photo = drawn_photo(height, width)
    expected = pipeline("mask-generation", model=network, image_processor=processor())(
        Image.fromarray(photo),
        points_per_crop=SIDE,
        points_per_batch=12,
        pred_iou_thresh=LEAST_IOU,
        stability_score_thresh=LEAST_STABILITY,
        stability_score_offset=OFFSET,
        crops_nms_thresh=NMS_IOU,
    )
    # 36 points give 108 masks.
    assert 3 <= len(expected["masks"]) < 20
    spec = GridSpec(SIDE, 12, LEAST_IOU, LEAST_STABILITY, OFFSET, NMS_IOU)
    seen: list[tuple[int, int]] = []
    found = segment_everything(
        model, model.embed(np.ascontiguousarray(photo[..., ::-1])), spec, lambda *done: seen.append(done)
    )
    np.testing.assert_allclose(found.scores, expected["scores"], atol=1e-4)
    assert found.masks is not None
    assert min(map(mask_iou, found.masks, expected["masks"])) >= 0.99
    assert found.labels == [f"mask {number}" for number in range(1, len(found) + 1)]
    # 36 points, twelve at a time: the pipeline takes no number that does not go into them.
    assert seen == [(12, 36), (24, 36), (36, 36)]
    assert (model.encoder_runs, model.decoder_runs) == (1, 3)


def test_nothing_sure_enough_is_no_mask(model: PromptedModel) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    found = segment_everything(model, model.embed(image), GridSpec(2, least_iou=100.0))
    assert len(found) == 0
    assert found.masks is not None
    assert found.masks.shape == (0, 20, 30)


def test_the_grid_lies_in_the_middle_of_its_cells() -> None:
    assert GridSpec(2).points_xy((40, 20)).tolist() == [[10, 5], [30, 5], [10, 15], [30, 15]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"points_per_side": 0}, "points_per_side: expected 1 or more, got 0"),
        ({"points_per_batch": 0}, "points_per_batch: expected 1 or more"),
        ({"nms_iou": 0.0}, "nms_iou: expected above 0"),
    ],
)
def test_grids_that_are_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PromptError, match=message):
        GridSpec(**fields)
