"""A user's own pictures with boxes, in COCO's layout, as scenes to train on: framed and photographed anew each time.

Called by `mirilla train webcam-detector --data FILE.json`. The last tenth of the pictures, by name, is held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from models.training.box_data import BoxPicture, Scene
from models.training.errors import TrainingError
from models.training.page_camera import noise_bank, photograph
from models.training.pages import plain_desk
from models.training.scene_cuts import CutRange, cut

_HOW = CutRange(near=0.5, far=2.0, far_chance=0.3)
_STRENGTH = 0.6


class CocoScenes:
    """Scenes of training pictures; `scene(i)` is the same whoever asks."""

    def __init__(self, pictures: Sequence[BoxPicture], size_wh: tuple[int, int], seed: int) -> None:
        """Keep the list; pictures are decoded when they are shown.

        Raises:
            TrainingError: there are no pictures.
        """
        if not pictures:
            raise TrainingError("data: no pictures are left to train on; give more, or hold fewer out")
        self._pictures, self._size_wh, self._seed = pictures, size_wh, seed
        self._noise = noise_bank(1)

    def scene(self, index: int) -> Scene:
        """Every picture once before any comes again, in an order that changes from pass to pass."""
        passes, place = divmod(index, len(self._pictures))
        order = np.random.default_rng((self._seed, passes, 2)).permutation(len(self._pictures))
        random = np.random.default_rng((self._seed, index, 3))
        scene = cut(
            self._pictures[int(order[place])].read(),
            self._size_wh,
            _HOW,
            plain_desk(self._size_wh, random),
            random,
        )
        image = photograph(scene.image, random, self._noise, _STRENGTH)
        return Scene(image, scene.boxes_xyxy, scene.class_ids, scene.complete)


class PlainScenes:
    """Pictures as they are, stretched to the input: to look at how well a training goes."""

    def __init__(self, pictures: Sequence[BoxPicture], size_wh: tuple[int, int]) -> None:
        """Keep the list."""
        self._pictures, self._size_wh = pictures, size_wh

    def __len__(self) -> int:
        return len(self._pictures)

    def scene(self, index: int) -> Scene:
        """The picture of this number."""
        scene = self._pictures[index].read()
        scale = np.array(self._size_wh) / scene.image.shape[1::-1]
        image = np.asarray(cv2.resize(scene.image, self._size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        boxes = (scene.boxes_xyxy * np.tile(scale, 2)).astype(np.float32)
        return Scene(image, boxes, scene.class_ids, scene.complete)
