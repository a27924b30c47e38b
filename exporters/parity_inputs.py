"""What both sides of the parity gate are shown: pictures as the checkpoint's own processor makes them, and noise.

The photograph is the one that Matplotlib brings (Grace Hopper, public domain), so that none has to be downloaded or
shipped; beside it stands a picture drawn by code.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageOps

from exporters.checkpoint import Checkpoint
from exporters.errors import ExportError
from models.sketch_raster import rasterize_strokes
from models.tasks.ink import find_drawing

PICTURE_HW = (480, 640)


def drawn_photo(height: int = PICTURE_HW[0], width: int = PICTURE_HW[1]) -> NDArray[np.uint8]:
    """A picture with what photographs have: gradients, edges, texture, colours; uint8 (H, W, 3), RGB."""
    random = np.random.default_rng(11)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.array([110, 160, 230], np.float32) * (1 - rows) + np.array([225, 215, 200], np.float32) * rows
    picture = np.broadcast_to(sky, (height, width, 3)).copy()
    horizon = height * 3 // 5
    grass = cv2.GaussianBlur(random.normal(0, 60, (height - horizon, width)).astype(np.float32), (5, 5), 0)
    picture[horizon:] = np.array([70, 120, 50], np.float32) + grass[..., None]
    x, y = np.array([0.2, 0.55]) * width, np.array([0.35, 0.8]) * height
    cv2.rectangle(picture, (int(x[0]), int(y[0])), (int(x[1]), int(y[1])), (180, 70, 60), -1, cv2.LINE_AA)
    roof = np.array([[0.16 * width, y[0]], [0.59 * width, y[0]], [0.375 * width, 0.12 * height]], np.int32)
    cv2.fillPoly(picture, [roof], (90, 50, 45), cv2.LINE_AA)
    cv2.circle(picture, (int(0.82 * width), int(0.2 * height)), height // 12, (250, 230, 120), -1, cv2.LINE_AA)
    picture += random.normal(0, 4, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def photograph(height: int = PICTURE_HW[0], width: int = PICTURE_HW[1]) -> NDArray[np.uint8]:
    """A real photograph, of a person in uniform before a flag, cut to a shape; uint8 (H, W, 3), RGB."""
    with Image.open(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (width, height)), np.uint8)


def gate_pictures(processor: Any) -> NDArray[np.float32]:
    """Four inputs float32 (4, C, H, W): a photograph, a drawn picture, a picture of noise, and noise itself.

    Args:
        processor: the checkpoint's own image processor.

    Raises:
        ExportError: the processor does not take pictures.
    """
    noise = np.random.default_rng(3).integers(0, 256, (*PICTURE_HW, 3), dtype=np.uint8)
    made = processed(processor, [photograph(), drawn_photo(), noise])
    return np.concatenate([*made, noise_like(made[0])])


def processed(processor: Any, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """Each picture uint8 (H, W, 3) RGB as the processor makes it, float32 (1, C, H, W).

    Raises:
        ExportError: the processor does not take pictures.
    """
    try:
        return [np.asarray(_pixel_values(processor, picture), np.float32) for picture in pictures]
    except Exception as error:  # processors raise whatever the setting at fault raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"preprocessor_config.json: the processor fails on a picture: {reason}") from error


def _pixel_values(processor: Any, picture: NDArray[np.uint8]) -> Any:
    further: dict[str, Any] = {}
    if "boxes" in inspect.signature(processor.preprocess).parameters:
        # Pose estimators cut persons out of the picture; here the picture is the person.
        further["boxes"] = [[[0, 0, picture.shape[1], picture.shape[0]]]]
    return processor(images=picture, return_tensors="np", **further)["pixel_values"]


def calibration_inputs(checkpoint: Checkpoint, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """What sets the ranges of a static int8 model, each float32 (1, C, H, W).

    Args:
        checkpoint: says how a picture becomes its input.
        pictures: uint8 (H, W, 3) RGB; for a sketch network frames with drawings, or drawings themselves, (side, side).

    Raises:
        ExportError: the processor does not take pictures, or there is no drawing in any.
    """
    if checkpoint.processor is not None:
        return processed(checkpoint.processor, pictures)
    if not checkpoint.is_sketch:
        side = checkpoint.model.config.image_size
        small = (cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures)
        return [np.asarray(picture / 255, np.float32).transpose(2, 0, 1)[None] for picture in small]
    found = [_drawing(picture) for picture in pictures]
    drawn = [np.asarray(drawing / 255, np.float32)[None, None] for drawing in found if drawing is not None]
    if pictures and not drawn:
        raise ExportError(
            f"--calibrate: no drawing was found in the {len(pictures)} pictures; show it some with drawings"
        )
    return drawn


def _drawing(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    if picture.ndim == 2:
        return picture
    found = find_drawing(np.ascontiguousarray(picture[..., ::-1]))
    return None if found is None else found.drawing


def noise_like(pictures: NDArray[np.float32], size_hw: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """Normal noise with the batch and channels of `pictures`, at their size or another."""
    shape = (*pictures.shape[:2], *(size_hw or pictures.shape[2:]))
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def second_size(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Another size to try a graph of free size at: both sides larger, not by the same, multiples of 32 as all take."""
    height, width = (-(-side // 32) * 32 for side in size_hw)
    return height + 32, width + 64


def plain_pictures(height: int, width: int) -> NDArray[np.float32]:
    """Four inputs float32 (4, 3, H, W), 0..1, for networks of ours that come without a processor."""
    drawn = cv2.resize(drawn_photo(), (width, height), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(3).random((2, height, width, 3), np.float32)
    pictures = np.stack([photograph(height, width) / 255, drawn / 255, *noise])
    return pictures.transpose(0, 3, 1, 2).astype(np.float32)


def drawings(side_px: int) -> NDArray[np.float32]:
    """What a sketch network is compared on: float32 (6, 1, side_px, side_px), 0..1; blank, full, noise, drawings."""
    random = np.random.default_rng(0)
    turn = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    house = [np.array([[0, 4], [0, 10], [8, 10], [8, 4], [0, 4], [4, 0], [8, 4]]), np.array([[3, 10], [3, 7], [5, 7]])]
    drawn = [rasterize_strokes(strokes, side_px) / np.float32(255) for strokes in ([circle], house)]
    shape = (side_px, side_px)
    noise = [random.random(shape), (random.random(shape) > 0.8).astype(np.float64)]
    return np.stack([np.zeros(shape), np.ones(shape), *noise, *drawn])[:, None].astype(np.float32)
