"""A scene whose objects are known, discs of one colour on a textured ground, and a model that cuts out by colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.model import StageTimer
from models.placement import Placement
from models.prompted_model import Embedding, masked_objects
from models.prompts import ObjectPrompt
from stream.frame import Frame

WIDTH, HEIGHT, RATE = 320, 240, 30
RED, BLUE = (40, 40, 220), (220, 120, 30)
RADIUS_PX = 24


def centres(index: int) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Where the discs are: the red one goes to the right and back, two pixels a frame, the blue one down and up."""
    return {RED: (50 + abs((2 * index + 220) % 440 - 220), 70), BLUE: (230, 60 + abs((index + 120) % 240 - 120))}


def frame_at(index: int, shown: Sequence[tuple[int, int, int]] = (RED, BLUE)) -> Frame:
    """The scene's frame with an index."""
    ground = np.random.default_rng(0).integers(90, 170, (HEIGHT // 8, WIDTH // 8), dtype=np.uint8)
    image = cv2.cvtColor(cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), cv2.COLOR_GRAY2BGR)
    for colour, centre in centres(index).items():
        if colour in shown:
            cv2.circle(image, centre, RADIUS_PX, colour, -1)
            # Something to follow: a disc of one colour shows no flow inside.
            for turn in range(8):
                x, y = (c + round(13 * f(turn * np.pi / 4)) for c, f in zip(centre, (np.cos, np.sin), strict=True))
                cv2.circle(image, (x, y), 2, tuple(value // 2 for value in colour), -1)
    return Frame(np.asarray(image, np.uint8), index, Fraction(1, RATE), index, index * 33_000_000)


def truth(index: int, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """The disc's mask, bool (H, W)."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, centres(index)[colour], RADIUS_PX, 1, -1)
    return mask.view(np.bool_)


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


@dataclass
class ByColour:
    """Answers with everything near a prompt's first point (or its box's middle) that is of the disc's colour."""

    name: str = "by-colour"
    provider: str = "CPUExecutionProvider"
    takes_boxes: bool = True
    score: float = 0.9
    embedded: list[int] = field(default_factory=list)
    asked: list[list[ObjectPrompt]] = field(default_factory=list)
    _image: NDArray[np.uint8] | None = None

    def embed(self, image: NDArray[np.uint8], timer: StageTimer) -> Embedding:
        with timer("encoder"):
            self._image = image
            self.embedded.append(int(image.sum()))
        size = (WIDTH, HEIGHT)
        return Embedding(Placement(size, size, size), {})

    def segment(self, embedding: Embedding, prompts: Sequence[ObjectPrompt], *, timer: StageTimer) -> Detections:
        assert self._image is not None
        assert embedding.placement.frame_wh == (WIDTH, HEIGHT)
        self.asked.append(list(prompts))
        with timer("decoder"):
            masks = [self._mask(prompt) for prompt in prompts]
        names = tuple(f"object {number + 1}" for number in range(len(prompts)))
        return masked_objects(masks, [self.score] * len(prompts), list(range(len(prompts))), names, (WIDTH, HEIGHT))

    def _mask(self, prompt: ObjectPrompt) -> NDArray[np.bool_]:
        assert self._image is not None
        if prompt.points_xy:
            x, y = prompt.points_xy[0]
        else:
            assert prompt.box_xyxy is not None
            left, top, right, bottom = prompt.box_xyxy
            x, y = (left + right) / 2, (top + bottom) / 2
        hue = cv2.cvtColor(self._image, cv2.COLOR_BGR2HSV)
        coloured = (hue[..., 1] > 100) & (np.abs(hue[..., 0].astype(int) - int(hue[round(y), round(x), 0])) < 8)
        if not coloured[round(y), round(x)]:
            coloured = np.zeros_like(coloured)
        _, parts = cv2.connectedComponents(coloured.astype(np.uint8))
        mask = np.asarray(coloured & (parts == parts[round(y), round(x)]))
        for x, y in prompt.negative_xy:
            cut = np.zeros(mask.shape, np.uint8)
            cv2.circle(cut, (round(x), round(y)), 10, 1, -1)
            mask = mask & (cut == 0)
        return mask


def write_clip(path: Path, frames: int, rate: int = RATE) -> Path:
    """The scene as an `.mp4`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_at(index).image, "bgr24")))
        container.mux(stream.encode())
    return path
