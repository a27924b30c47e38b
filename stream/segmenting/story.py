"""The animation of a segmentation: the picture, what somebody pointed at, the masks, the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.everything import GridSpec
from models.prompts import ObjectPrompt
from stream.overlays.drawing import Painter
from stream.overlays.theme import Sizes, class_colour, sizes_for
from stream.overlays.tinting import tint_masks
from stream.scenes import Captions, shrunk
from stream.segmenting.marks import draw_grid, draw_prompts
from stream.sinks.masks import coloured_masks

_LOOK_TICKS, _RESULT_TICKS = 150, 300


class Story:
    """The scenes of one picture.

    Attributes:
        size_wh: of every scene, in pixels.
    """

    def __init__(
        self, image: NDArray[np.uint8], name: str, prompts: Sequence[ObjectPrompt], grid: GridSpec | None
    ) -> None:
        """Take what is known before the model is asked.

        Args:
            image: uint8 (H, W, 3), BGR.
            name: of the picture.
            prompts: one an object; none where everything is looked for.
            grid: how everything is looked for; None where prompts say what.
        """
        self._picture, self._scale = shrunk(image)
        self._frame_wh = (image.shape[1], image.shape[0])
        self._name, self._prompts, self._grid = name, prompts, grid
        self._captions = Captions((self._picture.shape[1], self._picture.shape[0]))
        self.size_wh = self._captions.size_wh

    def scenes(self, found: Detections) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """The scenes, and for how many hundredths of a second each is shown."""
        framed = self._captions.framed
        small = _scaled(found, self._captions.picture_wh, self._scale)
        yield framed(self._picture, self._name, ""), _LOOK_TICKS
        pointed = self._picture.copy()
        if self._grid is None:
            draw_prompts(pointed, self._prompts, self._captions.sizes, scale=self._scale)
            yield framed(pointed, _counted(len(self._prompts), "object"), "pointed at"), _LOOK_TICKS
        else:
            points = self._grid.points_xy(self._frame_wh)
            draw_grid(pointed, points, self._scale)
            yield framed(pointed, _counted(len(points), "point"), "asked for everything"), _LOOK_TICKS
        guesses = hypotheses(small)
        for number, guess in enumerate(guesses):
            title = "masks" if len(guesses) == 1 else f"masks, choice {number + 1} of {len(guesses)}"
            picture = coloured_masks(
                [in_layers(guess, self._prompts)], (self._picture.shape[1], self._picture.shape[0])
            )
            yield framed(picture, title, _scores(guess)), _LOOK_TICKS
        result = self._picture.copy()
        draw_result(result, hypotheses(small)[0], self._prompts, self._captions.sizes, scale=self._scale)
        yield framed(result, "result", ""), _RESULT_TICKS


def draw_result(
    canvas: NDArray[np.uint8],
    found: Detections,
    prompts: Sequence[ObjectPrompt],
    sizes: Sizes | None = None,
    *,
    scale: float = 1.0,
) -> None:
    """Draw masks with their contours, and in place names, scores and prompts of what was pointed at.

    Args:
        canvas: uint8 (H, W, 3), BGR, of the masks' size.
        found: a mask an object.
        prompts: empty where everything was looked for: so many names would hide the picture.
        sizes: of the canvas; None takes them from it.
        scale: of the canvas to the picture that the prompts speak of.
    """
    sizes = sizes or sizes_for(canvas.shape[1], canvas.shape[0])
    if prompts:
        Painter().paint(canvas, {found.task: found})
        draw_prompts(canvas, prompts, sizes, scale=scale)
        return
    layers = in_layers(found, prompts)
    if layers.masks is not None:
        tint_masks(canvas, layers.masks, [class_colour(number) for number in layers.class_ids.tolist()], 1)


def in_layers(found: Detections, prompts: Sequence[ObjectPrompt]) -> Detections:
    """The masks as they are drawn, the topmost first: the surest; where everything was looked for, the smallest.

    A whole that is surer than its parts would hide them all. Scores mean nothing then.
    """
    if prompts or found.masks is None:
        return found
    areas = np.count_nonzero(found.masks, axis=(1, 2))
    return replace(found, scores=np.zeros_like(found.scores))[np.argsort(areas, kind="stable")]


def hypotheses(found: Detections) -> list[Detections]:
    """The best mask of every object, then every second best, and so on; one at least."""
    seen: dict[int, int] = {}
    ranks = []
    for class_id in found.class_ids.tolist():
        ranks.append(seen.get(class_id, 0))
        seen[class_id] = ranks[-1] + 1
    return [found[np.flatnonzero(np.array(ranks) == rank)] for rank in range(max(ranks, default=0) + 1)]


def _scaled(found: Detections, size_wh: tuple[int, int], scale: float) -> Detections:
    """The same objects on a picture of another size."""
    masks = np.zeros((len(found), size_wh[1], size_wh[0]), np.bool_)
    for small, mask in zip(masks, found.masks if found.masks is not None else (), strict=True):
        small[:] = cv2.resize(mask.view(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST) > 0
    return replace(found, masks=masks, boxes_xyxy=np.asarray(found.boxes_xyxy * scale, np.float32))


def _scores(found: Detections) -> str:
    if not len(found):
        return "none is sure enough"
    if len(found) > 3:
        return f"{len(found)} masks"
    # In the objects' order, as they were asked for.
    scores = [f"{found.scores[row]:.2f}" for row in np.argsort(found.class_ids, kind="stable")]
    return f"predicted IoU {', '.join(scores)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
