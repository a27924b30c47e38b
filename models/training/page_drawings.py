"""The drawings that pages are made of: Quick, Draw! strokes of every category, and bitmaps of those that have them.

Read once when a page maker is built (`models/training/pages.py`). A drawing is held in a box of one unit, so that the
page decides how large it becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.sketch_raster import BOX, SIDE_PX
from models.training.quickdraw_data import Part, Split, category_names, read_sketches

_BITMAP_SCALE = 4
_SMOOTH_LEVEL_GAIN = 5.0
HELD_OUT = 0.1
"""The last share of each file: never on a page that trains anything."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing, as strokes or as a picture of its ink.

    Attributes:
        category: index of its name among the page maker's `class_names`.
        strokes: float32 (N, 2) each, x and y in 0..1 along the longer side; empty where there is a picture.
        picture: uint8 (112, 112), 255 where there is ink, or None where there are strokes.
        size_wh: of its box, the longer side 1.
    """

    category: int
    strokes: tuple[NDArray[np.float32], ...]
    picture: NDArray[np.uint8] | None
    size_wh: tuple[float, float]


class DrawingBook:
    """All drawings of some categories; bitmaps are made ready only when one is taken, there are many."""

    def __init__(self, folder: Path, part: Part, class_names: Sequence[str] | None = None) -> None:
        """Read `folder/strokes` and `folder/bitmaps`, either of which may be missing.

        Args:
            folder: Quick, Draw! files, as in the test data.
            part: `training`, or `held_out`: the last 10 % of each file.
            class_names: the categories to draw; None takes all that there are strokes of.

        Raises:
            TrainingError: no drawings are there, or a file is not in Google's layout.
        """
        split = Split(HELD_OUT, 0.0)
        folders = [path for path in (folder / "strokes", folder / "bitmaps") if path.is_dir()] or [folder]
        self.class_names = tuple(class_names) if class_names is not None else category_names(folders[0])
        sets = [read_sketches(path, part, split, self.class_names) for path in folders]
        self._strokes = [drawing for sketches in sets for drawing in sketches.drawings]
        self._stroke_labels = np.concatenate([sketches.labels[len(sketches.bitmaps) :] for sketches in sets])
        self._bitmaps = np.concatenate([sketches.bitmaps for sketches in sets])
        self._bitmap_labels = np.concatenate([sketches.labels[: len(sketches.bitmaps)] for sketches in sets])

    def __len__(self) -> int:
        return len(self._strokes) + len(self._bitmaps)

    def take(self, random: np.random.Generator, bitmap_share: float) -> Drawing:
        """Any drawing, a bitmap with the chance of `bitmap_share` where there are both."""
        bitmaps, strokes = len(self._bitmaps), len(self._strokes)
        if bitmaps and (not strokes or random.random() < bitmap_share):
            index = int(random.integers(bitmaps))
            return _from_bitmap(self._bitmaps[index], int(self._bitmap_labels[index]))
        index = int(random.integers(strokes))
        return _from_strokes(self._strokes[index], int(self._stroke_labels[index]))


def _from_strokes(strokes: Sequence[NDArray[np.float32]], category: int) -> Drawing:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(float((high - low).max()), 1.0)
    moved = tuple((stroke - low) / np.float32(side) for stroke in strokes)
    width, height = np.maximum((high - low) / side, 4.0 / BOX)
    return Drawing(category, moved, None, (float(width), float(height)))


def _from_bitmap(bitmap: NDArray[np.uint8], category: int) -> Drawing:
    """Enlarged with sharp edges: smooth enlargement, then a steep ramp at the middle grey level."""
    side = SIDE_PX * _BITMAP_SCALE
    large = cv2.resize(bitmap, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    ink = np.clip((large - 110.0) * _SMOOTH_LEVEL_GAIN + 127.0, 0.0, 255.0).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(ink)
    if width == 0:
        left, top, width, height = 0, 0, side, side
    cut = ink[top : top + height, left : left + width]
    longer = max(width, height)
    return Drawing(category, (), np.ascontiguousarray(cut), (width / longer, height / longer))
