"""Packages whose masks are known: discs around points and boxes as they are, or all that has the colour pointed at."""

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
COLOUR_TOLERANCE = 0.5
"""Of normalised colours, summed over the channels."""


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


class ColourEncoder(torch.nn.Module):
    """Keeps the picture, a quarter as large."""

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = torch.nn.functional.avg_pool2d(pixel_values, SIDE_PX // CELLS)
        return features, features * 0.0


class ColourDecoder(torch.nn.Module):
    """Everything that has nearly the colour of the cell at the first point, or in the middle of the box.

    Less discs around negative points. All three masks are one.
    """

    def forward(
        self,
        input_points: torch.Tensor,
        input_labels: torch.Tensor,
        input_boxes: torch.Tensor,
        image_embeddings: torch.Tensor,
        image_positional_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cell = SIDE_PX / CELLS
        middles = (input_boxes[..., :2] + input_boxes[..., 2:]) / 2
        places = torch.cat([input_points, middles], dim=2)[0, :, 0]
        column, row = ((places[:, axis] / cell).long().clamp(0, CELLS - 1) for axis in (0, 1))
        picture = image_embeddings[0]
        colours = picture[:, row, column]
        apart = (picture[:, None] - colours[:, :, None, None]).abs().sum(dim=0)
        steps = (torch.arange(CELLS) + 0.5) * cell - 0.5
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        away = ((input_points[..., 0, None, None] - x) ** 2 + (input_points[..., 1, None, None] - y) ** 2).sqrt()
        beside = torch.where(input_labels[..., None, None] == 0, away - NEGATIVE_RADIUS_PX, 1e3 + away)
        nothing = torch.full((1, input_points.shape[1], 1, CELLS, CELLS), 1e3)
        cut = torch.cat([beside, nothing], dim=2).amin(dim=2)[0]
        logits = torch.minimum(20 * (COLOUR_TOLERANCE - apart), cut)[None, :, None].expand(-1, -1, 3, -1, -1)
        scores = torch.tensor(SCORES).expand(1, input_points.shape[1], 3)
        return scores + 0.0 * image_positional_embeddings.mean(), logits


def write_stand_in(
    folder: Path, encoder: torch.nn.Module | None = None, decoder: torch.nn.Module | None = None, name: str = "discs"
) -> Path:
    """A package as `mirilla export` leaves them: of discs, or of another encoder and decoder."""
    folder.mkdir(parents=True)
    points = {1: "objects", 2: "points"}
    with warnings.catch_warnings():
        # Torch announces its next exporter on every call.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            encoder or Encoder(),
            (torch.zeros(1, 3, SIDE_PX, SIDE_PX),),
            str(folder / MODEL_NAME),
            input_names=["pixel_values"],
            output_names=["image_embeddings", "image_positional_embeddings"],
            dynamo=False,
        )
        torch.onnx.export(
            decoder or Decoder(),
            (
                torch.zeros(1, 2, 3, 2),
                torch.ones(1, 2, 3).long(),
                torch.zeros(1, 2, 1, 4),
                *(encoder or Encoder())(torch.zeros(1, 3, SIDE_PX, SIDE_PX)),
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
        name=name,
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
