"""SAM's prompt decoder as a graph that takes boxes too: Optimum's own takes points alone.

Declared as Optimum's own graphs are, and exported by it. It answers what transformers' `SamModel` answers to the same
points and boxes; the parity gate asks it with points, with boxes, and with both.
"""

from __future__ import annotations

from typing import Any

import torch
from optimum.exporters.onnx.model_configs import SamOnnxConfig
from optimum.exporters.onnx.model_patcher import SAMModelPatcher
from optimum.utils import DEFAULT_DUMMY_SHAPES
from optimum.utils.input_generators import DummyInputGenerator


class DummyBoxes(DummyInputGenerator):  # type: ignore[misc]
    """A box for each object of the dummy points, with which the graph is traced."""

    SUPPORTED_INPUT_NAMES = ("input_boxes",)

    def __init__(
        self,
        _task: str,
        _normalized_config: Any,
        batch_size: int = DEFAULT_DUMMY_SHAPES["batch_size"],
        point_batch_size: int = DEFAULT_DUMMY_SHAPES["point_batch_size"],
        **_others: Any,
    ) -> None:
        self._shape = [batch_size, point_batch_size, 1, 4]

    def generate(self, _input_name: str, framework: str = "pt", float_dtype: str = "fp32", **_others: Any) -> Any:
        """Boxes float32 (B, P, 1, 4)."""
        return self.random_float_tensor(self._shape, framework=framework, dtype=float_dtype)


class BoxPromptPatcher(SAMModelPatcher):  # type: ignore[misc]
    """Puts the prompt decoder in the place of the whole model while it is traced."""

    def __init__(self, config: Any, model: Any, model_kwargs: dict[str, Any] | None = None) -> None:
        super().__init__(config, model, model_kwargs)

        def decode(
            input_points: torch.Tensor,
            input_labels: torch.Tensor,
            input_boxes: torch.Tensor,
            image_embeddings: torch.Tensor,
            image_positional_embeddings: torch.Tensor,
            **_others: Any,
        ) -> dict[str, torch.Tensor]:
            masks, iou_scores = model.mask_decoder(
                image_embeddings=image_embeddings,
                image_positional_embeddings=image_positional_embeddings,
                sparse_prompt_embeddings=_embed(model.prompt_encoder, input_points, input_labels, input_boxes),
                dense_prompt_embeddings=_no_mask(model.prompt_encoder, input_points.shape[0]),
                multimask_output=True,
            )[:2]
            return {"iou_scores": iou_scores, "pred_masks": masks}

        self.patched_forward = decode


class PromptDecoderOnnxConfig(SamOnnxConfig):  # type: ignore[misc]
    """Embeddings, and for each object points with labels and at most one box, in; three masks an object out."""

    DUMMY_INPUT_GENERATOR_CLASSES = (*SamOnnxConfig.DUMMY_INPUT_GENERATOR_CLASSES, DummyBoxes)
    _MODEL_PATCHER = BoxPromptPatcher

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input."""
        own: dict[str, dict[int, str]] = super().inputs
        return {**own, "input_boxes": {0: "batch_size", 1: "point_batch_size", 2: "nb_boxes_per_object"}}


def _embed(encoder: Any, points: torch.Tensor, labels: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The prompts' embeddings (B, P, tokens, C), as `SamPromptEncoder.forward` makes them.

    Args:
        encoder: the model's prompt encoder.
        points: (B, P, N, 2), N may be 0.
        labels: (B, P, N).
        boxes: (B, P, M, 4), M 0 or 1.
    """
    count = boxes.shape[2]
    corners = torch.unflatten(boxes, -1, (2, 2)).flatten(2, 3)
    corners = encoder.shared_embedding((corners + 0.5) / encoder.input_image_size)
    kinds = torch.cat([encoder.point_embed[2].weight, encoder.point_embed[3].weight])
    # SAM was trained with a point that is none beside points, and without it beside a box.
    padding = encoder.not_a_point_embed.weight.expand(*points.shape[:2], 1, -1)
    placed = encoder._embed_points(points, labels, pad=False)
    return torch.cat([placed, padding[:, :, count:], corners + kinds[: 2 * count]], dim=2)


def _no_mask(encoder: Any, batch_size: int) -> torch.Tensor:
    """The embedding (B, C, h, w) of a mask that nobody gave."""
    side = encoder.image_embedding_size
    return torch.as_tensor(encoder.no_mask_embed.weight).reshape(1, -1, 1, 1).expand(batch_size, -1, *side)
