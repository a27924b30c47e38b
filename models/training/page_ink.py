"""Ink and what it is drawn on, from composed pages: whole, in parts, and cut out as the chain shows one drawing.

Read by `models.training.train_segmenter`. Ink is what a pen left of a drawing: outlines and scribbles, no filling, no
handwriting, no rules of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.errors import TrainingError
from models.training.page_drawings import DrawingBook
from models.training.pages import Page, PageMaker
from models.training.segmentation_pairs import PairWriter, Part
from models.training.webcam_people import read_backgrounds

PAPER, INK = "paper", "ink"

_WHOLE_WH, _PART_WH = (320, 240), (512, 384)
"""Of pages that are shown whole, about the network's own size, and of those that are cut."""
_HELD_OUT_WH = (640, 480)
_HELD_OUT_SEED = 900_001
_WHOLE_CHANCE = 0.4
_DRAWING_CHANCE = 0.5
"""Of a page that is cut, to be cut to one drawing."""
_AIR = (0.05, 0.6)
"""Around a drawing that is cut out, a share of its longer side."""
_PARTS = (0.35, 0.8)
"""Of the page's width and height, where any part is cut out."""


class InkPages:
    """Makes pictures of drawings and masks of their ink, as many as are wanted."""

    class_names = (PAPER, INK)

    def __init__(
        self, book: DrawingBook, backdrops: Sequence[NDArray[np.uint8]], seed: int, held_out_pages: int
    ) -> None:
        """Take drawings, and photographs on which sheets lie; the rest as of `read`."""
        self._book = book
        self._backdrops = backdrops
        self._whole, self._cut = (PageMaker(book, size_wh, backdrops) for size_wh in (_WHOLE_WH, _PART_WH))
        self._seed = seed
        self._held_out_pages = held_out_pages

    @classmethod
    def read(cls, drawings: Path, backdrops: Path, part: Part, seed: int, held_out_pages: int) -> Self:
        """Read the drawings and photographs of one part.

        Args:
            drawings: Quick, Draw! files: `strokes/`, `bitmaps/` or both.
            backdrops: a folder with pictures in `images/`.
            part: what is held out are the last tenth of each drawing file and every tenth picture; the pages that a
                training is watched by are of its own drawings.
            seed: of the pages.
            held_out_pages: how many `write_pairs` writes.

        Raises:
            TrainingError: a folder is not like that.
        """
        book = DrawingBook(drawings, "held_out" if part == "held_out" else "training")
        if not len(book):
            raise TrainingError(f"{drawings}: no drawings in strokes/ or bitmaps/; give Quick, Draw! files")
        return cls(book, read_backgrounds(backdrops, part, with_people=True), seed, held_out_pages)

    def sample(
        self, size_wh: tuple[int, int], random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A picture uint8 (H, W, 3), BGR, and its mask uint8 (H, W), 1 where there is ink; `random` decides all."""
        is_whole = random.random() < _WHOLE_CHANCE
        page = (self._whole if is_whole else self._cut).make(self._seed, int(random.integers(2**31)))
        left, top, right, bottom = (0, 0, *_WHOLE_WH) if is_whole else _part(page, random)
        picture, ink = page.image[top:bottom, left:right], page.ink[top:bottom, left:right]
        shrinks = (right - left) * (bottom - top) > size_wh[0] * size_wh[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        shares = cv2.resize(ink.astype(np.uint8) * np.uint8(255), size_wh, interpolation=how)
        return (
            np.asarray(cv2.resize(picture, size_wh, interpolation=how), np.uint8),
            (np.asarray(shares) > 127).astype(np.uint8),
        )

    def write_pairs(self, writer: PairWriter) -> None:
        """Write whole pages of a seed of their own."""
        maker = PageMaker(self._book, _HELD_OUT_WH, self._backdrops)
        for index in range(self._held_out_pages):
            page = maker.make(_HELD_OUT_SEED, index)
            writer.write(f"page-{index:04d}", page.image, page.ink.astype(np.uint8))


def is_drawing_folder(folder: Path) -> bool:
    """Whether a folder holds Quick, Draw! files as a page maker reads them."""
    return (folder / "strokes").is_dir() or (folder / "bitmaps").is_dir()


def _part(page: Page, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is shown of a page: one drawing with air around it, or any part."""
    height, width = page.owners.shape
    if random.random() < _DRAWING_CHANCE and len(page.boxes_xyxy):
        box = page.boxes_xyxy[int(random.integers(len(page.boxes_xyxy)))].astype(float)
        air = random.uniform(*_AIR, 4) * max(box[2] - box[0], box[3] - box[1])
        low, high = box[:2] - air[:2], box[2:] + air[2:]
    else:
        size = random.uniform(*_PARTS, 2) * (width, height)
        low = random.uniform(0, 1, 2) * ((width, height) - size)
        high = low + size
    left, top = np.floor(np.maximum(low, 0)).astype(int).tolist()
    right, bottom = np.ceil(np.minimum(high, (width, height))).astype(int).tolist()
    return left, top, max(right, left + 1), max(bottom, top + 1)
