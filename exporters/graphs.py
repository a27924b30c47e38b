"""The graphs that a checkpoint becomes: one for nearly all, two for SAM, CLIP and SigLIP.

Each says what PyTorch answers to the same arrays, so that the parity gate treats them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from optimum.exporters.onnx import OnnxConfig
from optimum.exporters.utils import get_sam_models_for_export
from transformers import PreTrainedModel

from exporters.agreement import Outputs
from exporters.checkpoint import Checkpoint
from exporters.onnx_configs import onnx_config_of
from exporters.sam_prompts import PromptDecoderOnnxConfig
from exporters.zero_shot import (
    PROBES,
    FixedTexts,
    PictureHalf,
    PictureHalfConfig,
    TextHalf,
    TextHalfConfig,
    is_sigmoid,
    tokens_of,
)
from models.manifest import MODEL_NAME, PROMPT_DECODER_NAME, TEXT_ENCODER_NAME
from models.onnx_session import OnnxSession

Feeds = Callable[[NDArray[np.float32], OnnxSession], dict[str, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX file to be.

    Attributes:
        file_name: in the package.
        module: what is traced.
        config: Optimum's declaration.
        reference: PyTorch's named outputs for named arrays, of the model as its users call it.
        feeds: named arrays for pictures float32 (N, C, H, W), as a loaded graph takes them.
    """

    file_name: str
    module: PreTrainedModel
    config: OnnxConfig
    reference: Callable[[Outputs], Outputs]
    feeds: Feeds


def graphs_of(checkpoint: Checkpoint, texts: Sequence[str] | None = None) -> list[Graph]:
    """The graphs of a checkpoint; the first one is the package's `model.onnx`.

    Args:
        checkpoint: read.
        texts: for zero-shot classifiers, what the classes are called for ever; None leaves the texts to the run.

    Raises:
        ExportError: no declaration is known, or the texts cannot be encoded.
    """
    model, task = checkpoint.model, checkpoint.task
    if task.name == "zero-shot-image-classification":
        return _zero_shot_graphs(model, checkpoint.folder, texts)
    config = onnx_config_of(model, task.optimum_names)
    if model.config.model_type == "sam":
        return _sam_graphs(model, config)
    return [Graph(MODEL_NAME, model, config, _torch_outputs(model), _picture_feeds)]


def _torch_outputs(model: PreTrainedModel) -> Callable[[Outputs], Outputs]:
    """The model as its users call it, without what Optimum patches for tracing."""

    def answer(feed: Outputs) -> Outputs:
        with torch.inference_mode():
            outputs = model(**{name: torch.from_numpy(array) for name, array in feed.items()})
        return {name: value.numpy() for name, value in outputs.items() if isinstance(value, torch.Tensor)}

    return answer


def _picture_feeds(pictures: NDArray[np.float32], session: OnnxSession) -> dict[str, NDArray[Any]]:
    feeds: dict[str, NDArray[Any]] = {"pixel_values": pictures}
    for node in session.inputs:
        if node.name == "pixel_mask":
            sides = (wanted or got for wanted, got in zip(node.shape[1:], pictures.shape[2:], strict=True))
            feeds["pixel_mask"] = np.ones((len(pictures), *sides), node.dtype)
    return feeds


def _zero_shot_graphs(model: PreTrainedModel, folder: Path, texts: Sequence[str] | None) -> list[Graph]:
    """A classifier of fixed texts, or a half for pictures and a half for texts; the whole model is the judge."""
    if texts:
        fixed = FixedTexts.of(model, folder, texts)
        config = onnx_config_of(fixed, ("image-classification",))
        return [Graph(MODEL_NAME, fixed, config, _torch_outputs(fixed), _picture_feeds)]
    tokens = {name: values.numpy() for name, values in tokens_of(model, folder, PROBES).items()}
    one_text = {name: values[:1] for name, values in tokens.items()}
    vision = model.config.vision_config
    one_picture = np.zeros((1, 3, vision.image_size, vision.image_size), np.float32)
    whole = _torch_outputs(model)

    def text_feeds(pictures: NDArray[np.float32], _session: OnnxSession) -> dict[str, NDArray[Any]]:
        return {name: values[np.arange(len(pictures)) % len(values)] for name, values in tokens.items()}

    pictures = PictureHalf(PictureHalfConfig.of(model), model)
    reader = TextHalf(TextHalfConfig.of(model, takes_mask=not is_sigmoid(model)), model)
    return [
        Graph(
            MODEL_NAME,
            pictures,
            onnx_config_of(pictures, ("feature-extraction",)),
            lambda feed: whole({**feed, **one_text}),
            _picture_feeds,
        ),
        Graph(
            TEXT_ENCODER_NAME,
            reader,
            onnx_config_of(reader, ("feature-extraction",)),
            lambda feed: whole({**feed, "pixel_values": one_picture}),
            text_feeds,
        ),
    ]


def _sam_graphs(model: Any, config: OnnxConfig) -> list[Graph]:
    """Optimum's two halves: the picture is encoded once, then any number of points and boxes are asked."""
    halves = get_sam_models_for_export(model, config)
    encoder, encoder_config = halves["vision_encoder"]
    decoder, _ = halves["prompt_encoder_mask_decoder"]
    decoder_config = PromptDecoderOnnxConfig(model.config, task=config.task, variant="split", vision_encoder=False)
    # How many points and boxes an object has: every call of the gate asks with the next.
    kinds = cycle([(3, 0), (0, 1), (2, 1)])

    def encode(feed: Outputs) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            embeddings = model.get_image_embeddings(torch.from_numpy(feed["pixel_values"]))
            positions = model.get_image_wide_positional_embeddings().repeat(len(embeddings), 1, 1, 1)
        return {"image_embeddings": embeddings.numpy(), "image_positional_embeddings": positions.numpy()}

    def prompt_feeds(pictures: NDArray[np.float32], _session: OnnxSession) -> dict[str, NDArray[Any]]:
        points, boxes = next(kinds)
        return encode({"pixel_values": pictures}) | _prompts(len(pictures), points, boxes, pictures.shape[2])

    def decode(feed: Outputs) -> dict[str, NDArray[Any]]:
        named = {"image_embeddings": feed["image_embeddings"]}
        if feed["input_points"].size:
            named |= {name: feed[name] for name in ("input_points", "input_labels")}
        if feed["input_boxes"].size:
            named["input_boxes"] = feed["input_boxes"][:, :, 0]
        with torch.inference_mode():
            asked = {name: torch.from_numpy(array) for name, array in named.items()}
            outputs = model(**asked, multimask_output=True)
        return {name: outputs[name].numpy() for name in ("iou_scores", "pred_masks")}

    return [
        Graph(MODEL_NAME, encoder, encoder_config, encode, _picture_feeds),
        Graph(PROMPT_DECODER_NAME, decoder, decoder_config, decode, prompt_feeds),
    ]


def _prompts(batch_size: int, points: int, boxes: int, side_px: int) -> dict[str, NDArray[Any]]:
    """Seeded prompts for two objects a picture, each with so many points, the second negative, and boxes."""
    random = np.random.default_rng(2)
    corners = np.sort(random.uniform(0, side_px, (batch_size, 2, boxes, 2, 2)), axis=3)
    labels = np.broadcast_to(np.array([1, 0, 1], np.int64)[:points], (batch_size, 2, points))
    return {
        "input_points": random.uniform(0, side_px, (batch_size, 2, points, 2)).astype(np.float32),
        "input_labels": labels.copy(),
        "input_boxes": corners.reshape(batch_size, 2, boxes, 4).astype(np.float32),
    }
