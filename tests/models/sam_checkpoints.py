"""SAM with seeded weights: its true widths at a reduced depth, as PyTorch checkpoints and as packages."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.prompts import ObjectPrompt
from tests.exporters.checkpoints import enliven

# Its configurations and processors are untyped.
tf: Any = importlib.import_module("transformers")
VIT_B: dict[str, Any] = {}
"""The widths are transformers' defaults."""
SLIM_77: dict[str, Any] = {"hidden_size": 168, "mlp_dim": 696}
"""As in https://huggingface.co/Zigeng/SlimSAM-uniform-77/blob/main/config.json"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What transformers answers for one object, the best hypothesis first: masks bool (3, H, W), scores (3,)."""

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]


def build_sam(widths: dict[str, Any], side_px: int) -> tuple[Any, Any]:
    """Model and image processor for an input of a side; two layers, one over windows and one over all."""
    torch.set_num_threads(1)
    torch.manual_seed(5)
    vision = {"num_hidden_layers": 2, "global_attn_indexes": [1], "image_size": side_px, **widths}
    prompts = {"image_size": side_px, "image_embedding_size": side_px // 16}
    config = tf.SamConfig(
        vision_config=tf.SamVisionConfig(**vision).to_dict(),
        prompt_encoder_config=tf.SamPromptEncoderConfig(**prompts).to_dict(),
    )
    model = tf.SamModel(config)
    enliven(model)
    model.eval()
    size = {"height": side_px, "width": side_px}
    return model, tf.SamImageProcessor(size={"longest_edge": side_px}, pad_size=size)


def save_sam(model: Any, processor: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


class Reference:
    """`SamModel` and `SamProcessor` on one picture; the encoder runs once."""

    def __init__(self, model: Any, image_processor: Any, image_bgr: NDArray[np.uint8]) -> None:
        self._model = model
        self._processor = tf.SamProcessor(image_processor)
        self._image = np.ascontiguousarray(image_bgr[..., ::-1])
        with torch.inference_mode():
            pixels = image_processor(self._image, return_tensors="pt", input_data_format="channels_last")[
                "pixel_values"
            ]
            self._embedding = model.get_image_embeddings(pixels)

    def answer(self, prompt: ObjectPrompt) -> Answer:
        asked: dict[str, Any] = {}
        if prompt.points_xy or prompt.negative_xy:
            asked["input_points"] = [[list(map(list, (*prompt.points_xy, *prompt.negative_xy)))]]
            asked["input_labels"] = [[[1] * len(prompt.points_xy) + [0] * len(prompt.negative_xy)]]
        if prompt.box_xyxy is not None:
            asked["input_boxes"] = [[list(prompt.box_xyxy)]]
        inputs = self._processor(self._image, return_tensors="pt", input_data_format="channels_last", **asked)
        named = {name: inputs[name].float() for name in ("input_points", "input_boxes") if name in inputs}
        if "input_labels" in inputs:
            named["input_labels"] = inputs["input_labels"]
        with torch.inference_mode():
            outputs = self._model(image_embeddings=self._embedding, multimask_output=True, **named)
        masks = self._processor.post_process_masks(
            outputs.pred_masks, inputs["original_sizes"], inputs["reshaped_input_sizes"]
        )[0][0].numpy()
        scores = outputs.iou_scores[0, 0].numpy()
        order = np.argsort(-scores, kind="stable")
        return Answer(masks[order], scores[order])


def mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Of two masks of one size; 1 where both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0
