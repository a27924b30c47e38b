"""The user's own pictures and masks: `images/` and `masks/`, or the trees that well-known data sets come as.

A mask is a picture in a folder whose name speaks of masks, or one whose own name ends as PH2's and HAM10000's do; it
belongs to the picture of the same name without that ending. Full-body MADS, PH2 and HAM10000 are read as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.pictures import PICTURE_SUFFIXES, read_picture
from models.training.errors import TrainingError
from models.training.picture_augment import augment_pair
from models.training.segmentation_pairs import NOT_COUNTED, PairWriter, Part

_MASK_FOLDERS = ("mask", "lesion", "label", "annotation")
_MASK_ENDINGS = ("_lesion", "_segmentation", "_mask")
_LEFT_OUT_FOLDERS = ("_roi",)
"""PH2's colour regions: neither pictures nor masks of them."""
_KEPT_PICTURES = 1500
_KEPT_SIDE_PX = 640
_TWO = ("background", "object")


class MaskFolder:
    """Pictures with masks, read when they are first wanted."""

    def __init__(
        self, pairs: Sequence[tuple[Path, Path]], class_names: tuple[str, ...], augmentation: float, *, is_named: bool
    ) -> None:
        """Take pairs of files.

        Args:
            pairs: pictures and masks.
            class_names: in the order of the labels.
            augmentation: how far pictures are changed.
            is_named: whether masks hold numbers of named classes; otherwise anything but 0 is the object.
        """
        self.class_names = class_names
        self._pairs = pairs
        self._augmentation = augmentation
        self._is_named = is_named
        self._pair = lru_cache(_KEPT_PICTURES)(self._read)

    @classmethod
    def read(cls, folder: Path, part: Part, held_out: float, augmentation: float) -> Self:
        """Read which files of a folder are pictures and masks.

        Args:
            folder: of any of the layouts; `classes.txt`, a name a line, where masks hold numbers of classes.
            part: the last share of the files, by name, is held out; validation is the twentieth before it.
            held_out: that share; 0 takes all files for every part.
            augmentation: how far pictures are changed.

        Raises:
            TrainingError: there are no pairs, a picture has no mask, or too few are left for a part.
        """
        pairs = find_pairs(folder)
        names = _class_names(folder)
        if held_out > 0:
            last = max(1, round(len(pairs) * held_out))
            watched = max(1, len(pairs) // 20)
            parts: dict[Part, Sequence[tuple[Path, Path]]] = {
                "training": pairs[: -last - watched],
                "validation": pairs[-last - watched : -last],
                "held_out": pairs[-last:],
            }
            pairs = list(parts[part])
            if not pairs:
                raise TrainingError(f"{folder}: too few pictures, none is left for the {part} part; add more")
        return cls(pairs, names or _TWO, augmentation if part == "training" else 0.0, is_named=names is not None)

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self._pairs)

    def sample(
        self, size_wh: tuple[int, int], random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Any picture uint8 (H, W, 3), BGR, and its labels uint8 (H, W), changed at random.

        Raises:
            TrainingError: a file is damaged, a mask has another size than its picture or a number of no class.
        """
        picture, labels = self._pair(int(random.integers(len(self._pairs))))
        return augment_pair(picture, labels, size_wh, self._augmentation, random)

    def write_pairs(self, writer: PairWriter) -> None:
        """Write all pictures and labels for `mirilla evaluate`, shrunken where they are very large."""
        for index, (path, _) in enumerate(self._pairs):
            writer.write(f"{index:05d}-{path.stem}", *self._pair(index))

    def _read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        picture_file, mask_file = self._pairs[index]
        picture = read_picture(picture_file)
        labels = self._labels(mask_file)
        if labels.shape != picture.shape[:2]:
            raise TrainingError(
                f"{mask_file}: {labels.shape[1]}x{labels.shape[0]}, and its picture is "
                f"{picture.shape[1]}x{picture.shape[0]}; give masks of their pictures' size"
            )
        shrink = _KEPT_SIDE_PX / max(picture.shape[:2])
        if shrink < 1:
            size_wh = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
            picture = np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
            labels = np.asarray(cv2.resize(labels, size_wh, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return picture, labels

    def _labels(self, path: Path) -> NDArray[np.uint8]:
        try:
            # Pillow keeps the numbers of a palette picture, of which OpenCV would make colours.
            mask = np.asarray(Image.open(path))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be read ({error}); copy it again") from error
        if mask.ndim == 3:
            mask = mask[..., :3].max(axis=2)
        if not self._is_named:
            # Masks that were stored as JPEG are only nearly 0 and 255.
            top = int(mask.max(initial=0))
            return (mask > top // 2).astype(np.uint8) if top > 1 else mask.astype(np.uint8)
        strangers = np.unique(mask[(mask >= len(self.class_names)) & (mask != NOT_COUNTED)])
        if len(strangers):
            raise TrainingError(f"{path}: {strangers[0]} is the number of no class; name it in classes.txt")
        return mask.astype(np.uint8)


def is_mask_folder(folder: Path) -> bool:
    """Whether a folder holds masks of pictures."""
    return any(_is_mask(path) for path in _pictures(folder))


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """The pictures of a folder, by name, each with its mask.

    Raises:
        TrainingError: there are none, or a picture has no mask.
    """
    files = _pictures(folder)
    masks = {_key(path): path for path in files if _is_mask(path)}
    pictures = [path for path in files if not _is_mask(path)]
    missing = [path for path in pictures if path.stem not in masks]
    if missing or not pictures:
        lack = f"{missing[0].name} has no mask of its name" if missing else "no pictures with masks"
        raise TrainingError(f"{folder}: {lack}; give each picture in images/ a mask in masks/")
    return sorted(((path, masks[path.stem]) for path in pictures), key=lambda pair: pair[0].stem)


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.parent.name.lower().endswith(_LEFT_OUT_FOLDERS)
    )


def _is_mask(path: Path) -> bool:
    folder = path.parent.name.lower()
    return path.stem.lower().endswith(_MASK_ENDINGS) or any(word in folder for word in _MASK_FOLDERS)


def _key(path: Path) -> str:
    for ending in _MASK_ENDINGS:
        if path.stem.lower().endswith(ending):
            return path.stem[: -len(ending)]
    return path.stem


def _class_names(folder: Path) -> tuple[str, ...] | None:
    path = folder / "classes.txt"
    if not path.is_file():
        return None
    names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    if len(names) < 2:
        raise TrainingError(f"{path}: expected two classes or more, a line each, got {len(names)}; mend it")
    return names
