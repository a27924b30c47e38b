"""A package whose masks are known: discs around points, less discs around negative points, and boxes as they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from models.manifest import (
    MODEL_NAME,
    PROMPT_DECODER_NAME,
    InputSpec,
    Manifest,
    ParitySpec,
    SourceSpec,
    file_sha256,
    write_manifest,
)

SIDE_PX, CELLS = 256, 64
RADII_PX = (24.0, 48.0, 80.0)
"""Of the three masks of a point, in pixels of the input."""
NEGATIVE_RADIUS_PX = 20.0
SCORES = (0.71, 0.93, 0.85)
_NOWHERE = -1e3


class Encoder(torch.nn.Module):
    """Knows no picture."""

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = pixel_values[:, :1, ::64, ::64] * 1.0
        return features, features + 1.0


class Decoder(torch.nn.Module):
    """Logits are distances to an edge in pixels of the input, twenty times as steep."""

    def forward(
        self,
        input_points: torch.Tensor,
        input_labels: torch.Tensor,
        input_boxes: torch.Tensor,
        image_embeddings: torch.Tensor,
        image_positional_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cell = SIDE_PX / CELLS
        steps = (torch.arange(CELLS) + 0.5) * cell - 0.5
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        # (1, P, N, 3, h, w): every point's distance to every cell, for every radius.
        apart = ((input_points[..., 0, None, None] - x) ** 2 + (input_points[..., 1, None, None] - y) ** 2).sqrt()
        discs = torch.tensor(RADII_PX)[:, None, None] - apart[:, :, :, None]
        label = input_labels[..., None, None, None]
        ons = torch.where(label == 1, discs, torch.full_like(discs, _NOWHERE))
        beside = apart[:, :, :, None].expand_as(discs) - NEGATIVE_RADIUS_PX
        offs = torch.where(label == 0, beside, torch.full_like(discs, -_NOWHERE))
        left, top, right, bottom = (input_boxes[..., side, None, None] for side in range(4))
        boxes = torch.stack([x - left, right - x, y - top, bottom - y]).amin(dim=0)[:, :, :, None]
        nothing = torch.full((1, input_points.shape[1], 1, 3, CELLS, CELLS), _NOWHERE)
        found = torch.cat([ons, boxes.expand(-1, -1, -1, 3, -1, -1), nothing], dim=2).amax(dim=2)
        found = torch.minimum(found, torch.cat([offs, -nothing], dim=2).amin(dim=2))
        # The embeddings are in it, so that they are inputs of the graph.
        still = 0.0 * (image_embeddings.mean() + image_positional_embeddings.mean())
        scores = torch.tensor(SCORES).expand(1, input_points.shape[1], 3)
        return scores + still, 20 * found


def write_stand_in(folder: Path) -> Path:
    """A package as `mirilla export` leaves them."""
    folder.mkdir(parents=True)
    points = {1: "objects", 2: "points"}
    with warnings.catch_warnings():
        # Torch announces its next exporter on every call.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Encoder(),
            (torch.zeros(1, 3, SIDE_PX, SIDE_PX),),
            str(folder / MODEL_NAME),
            input_names=["pixel_values"],
            output_names=["image_embeddings", "image_positional_embeddings"],
            dynamo=False,
        )
        torch.onnx.export(
            Decoder(),
            (
                torch.zeros(1, 2, 3, 2),
                torch.ones(1, 2, 3).long(),
                torch.zeros(1, 2, 1, 4),
                *[torch.zeros(1, 1, 4, 4)] * 2,
            ),
            str(folder / PROMPT_DECODER_NAME),
            input_names=[
                "input_points",
                "input_labels",
                "input_boxes",
                "image_embeddings",
                "image_positional_embeddings",
            ],
            output_names=["iou_scores", "pred_masks"],
            dynamic_axes={"input_points": points, "input_labels": points, "input_boxes": {1: "objects", 2: "boxes"}},
            dynamo=False,
        )
    manifest = Manifest(
        name="discs",
        task="prompted_segmentation",
        decoder="sam",
        input=InputSpec(height=SIDE_PX, width=SIDE_PX, resize="longest_edge_pad", resize_longest_edge=SIDE_PX),
        outputs=("image_embeddings", "image_positional_embeddings"),
        class_names=("object",),
        source=SourceSpec(id="tests"),
        opset=18,
        sha256=file_sha256(folder / MODEL_NAME),
        further_files={PROMPT_DECODER_NAME: file_sha256(folder / PROMPT_DECODER_NAME)},
        parity=ParitySpec(
            passed=True, inputs=4, batch_sizes=(1,), tolerance=1e-3, max_abs_difference={"pred_masks": 0.0}
        ),
    )
    write_manifest(manifest, folder)
    return folder
