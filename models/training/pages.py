"""Pages of drawings as a camera sees them, with exact boxes, ink masks and categories: unlimited, fixed by a seed.

Trains and tests the webcam detector (`models/training/train_detector.py`) and the ink segmenter. A page is composed at
the size it is asked for: a backdrop, a sheet in perspective with its rules, the ink of 1 to 12 drawings through the
same perspective, light and folds, things that lie on it, and last what the camera does. `PageMaker.make` draws
everything from one generator, so that (seed, index) names a page for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.page_camera import noise_bank, photograph
from models.training.page_drawings import Drawing, DrawingBook
from models.training.page_layout import cells_of, placed, scribble
from models.training.page_paper import Surface, cast_shadow, choose_surface, cover_of, paint_surface, shade
from models.training.page_pens import INK_LEVEL, Ink, Pen, choose_pen, ink_drawing, ink_lines, lay_ink, with_filling
from models.training.page_props import lay_props

MAX_DRAWINGS = 12
_BITMAP_SHARE = 0.25
_LEAST_VISIBLE = 0.35
_LEAST_SIDE = 0.035
"""Of the picture's shorter side: what is smaller cannot be told from a blot, and is not drawn."""
_COUNTS = np.array([1.0, 5, 4, 3, 3, 2, 2, 1, 1, 1, 0.7, 0.7, 0.7])


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture of drawings, and what is true of it.

    Attributes:
        image: uint8 (H, W, 3) BGR.
        boxes_xyxy: float32 (N, 4), pixels: around the ink of each drawing that can be seen.
        categories: int64 (N,), index among `class_names`.
        class_names: of the drawings.
        owners: uint8 (H, W): 0 where there is no ink, i + 1 on the ink of drawing i.
        covered: bool (H, W): where the backdrop is hidden by the sheet or by what lies on it.
        photographed: whether a photograph is seen behind the sheet, with whatever was in it.
        reached_into: whether things, painted hands among them, reach into the picture.
    """

    image: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    categories: NDArray[np.int64]
    class_names: tuple[str, ...]
    owners: NDArray[np.uint8]
    covered: NDArray[np.bool_]
    photographed: bool
    reached_into: bool

    @property
    def ink(self) -> NDArray[np.bool_]:
        """Where there is ink of a drawing, bool (H, W); handwriting and rules are none."""
        return self.owners > 0


class PageMaker:
    """Makes pages; one for each process, for it keeps its pictures in memory."""

    def __init__(
        self,
        book: DrawingBook,
        size_wh: tuple[int, int],
        backdrops: Sequence[NDArray[np.uint8]] = (),
        lights: Sequence[NDArray[np.float32]] = (),
        bitmap_share: float = _BITMAP_SHARE,
    ) -> None:
        """Keep what pages are made of.

        Args:
            book: the drawings.
            size_wh: of the pages, pixels.
            backdrops: photographs without drawings, uint8 (h, w, 3) BGR, of any size; none: plain desks.
            lights: the light on photographed sheets (`sheet_light`), float32 (h, w), mean 1.
            bitmap_share: of drawings, from bitmaps where there are both.
        """
        self.book = book
        self.size_wh = size_wh
        self._backdrops = backdrops
        self._lights = lights
        self._bitmap_share = bitmap_share
        self._noise = noise_bank(0)

    def make(self, seed: int, index: int, backdrop: NDArray[np.uint8] | None = None) -> Page:
        """The page of this seed and index.

        Args:
            seed: of a set of pages.
            index: of the page in it.
            backdrop: uint8 (H, W, 3) of the page's size: a scene before which the sheet is held up. Whose faces and
                hands are labelled needs `Page.covered` to know which of them are still to be seen.
        """
        random = np.random.default_rng((seed, index))
        surface = choose_surface(self.size_wh, random, held_up=backdrop is not None)
        page, inks = self._sheet(surface, random)
        lit = page if surface.kind == "screen" and random.random() < 0.5 else self._lit(page, surface, random)
        cover = cover_of(surface, self.size_wh)
        behind, photographed = self._backdrop(random) if backdrop is None else (backdrop, True)
        picture = _over(lit, cast_shadow(behind, surface, random), cover)
        hidden = cover < 128
        covered = cover >= 128
        reached_into = bool(random.random() < (0.35 if backdrop is None else 0.2))
        if reached_into:
            props = lay_props(picture, random) >= 128
            hidden |= props
            covered |= props
        image = photograph(picture, random, self._noise)
        boxes, categories, owners = label_ink(inks, hidden)
        names = self.book.class_names
        return Page(image, boxes, categories, names, owners, covered, photographed and bool(hidden.any()), reached_into)

    def _sheet(
        self, surface: Surface, random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], list[tuple[Drawing, Ink]]]:
        """The inked sheet, all over the picture, and where the ink lies."""
        page = paint_surface(surface, self.size_wh, random)
        side = float(min(self.size_wh))
        pen = choose_pen(surface.colour_bgr, surface.kind == "whiteboard", side, random)
        grain = random.random((self.size_wh[1], self.size_wh[0]), np.float32)
        inks: list[tuple[Drawing, Ink]] = []
        smooth = bool(random.random() < 0.5)
        count = int(random.choice(len(_COUNTS), p=_COUNTS / _COUNTS.sum()))
        cells = cells_of(count, surface.aspect, random)
        several_pens = random.random() < 0.4
        fills = random.random() < 0.3
        for centre, reach in cells:
            if several_pens and random.random() < 0.6:
                pen = choose_pen(surface.colour_bgr, surface.kind == "whiteboard", side, random)
            used = with_filling(pen, surface.colour_bgr, random) if fills and random.random() < 0.6 else pen
            drawing = self.book.take(random, self._bitmap_share)
            ink = self._inked(drawing, surface, centre, reach, used, smooth, random)
            if ink is not None:
                lay_ink(page, ink[0], ink[1], grain)
                inks.append((drawing, ink[0]))
        if random.random() < 0.25:
            self._write(page, surface, cells, pen, grain, random)
        return page, inks

    def _inked(
        self,
        drawing: Drawing,
        surface: Surface,
        centre: NDArray[np.float64],
        reach: float,
        pen: Pen,
        smooth: bool,
        random: np.random.Generator,
    ) -> tuple[Ink, Pen] | None:
        """A drawing's ink with the pen fitted to its size; None where too little of it would be in the picture."""
        place = surface.place @ placed(drawing, centre, reach, random)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) * drawing.size_wh
        seen = cv2.perspectiveTransform(corners[None], place)[0]
        extent = seen.max(axis=0) - seen.min(axis=0)
        inside = np.minimum(seen.max(axis=0), self.size_wh) - np.maximum(seen.min(axis=0), 0)
        if (
            extent.max() < 1.3 * _LEAST_SIDE * min(self.size_wh)
            or (inside <= 0).any()
            or np.prod(inside / extent) < _LEAST_VISIBLE
        ):
            return None
        # No pen is wider than lets a drawing of this size be recognised.
        width = min(pen.width_px, max(0.6, 0.07 * float(extent.max())))
        fitted = Pen(pen.colour_bgr, pen.opacity, width, pen.grain, pen.fill_bgr, pen.solid)
        ink = ink_drawing(drawing, place, fitted, self.size_wh, smooth)
        return None if ink is None else (ink, fitted)

    def _write(
        self,
        page: NDArray[np.uint8],
        surface: Surface,
        cells: Sequence[tuple[NDArray[np.float64], float]],
        pen: Pen,
        grain: NDArray[np.float32],
        random: np.random.Generator,
    ) -> None:
        """Lines of something like handwriting where there are no drawings; they are nothing to be found."""
        size = random.uniform(0.015, 0.035)
        scale = float(np.hypot(*np.ptp(surface.corners, axis=0))) / np.hypot(surface.aspect, 1)
        written = Pen(pen.colour_bgr, pen.opacity, min(pen.width_px, max(0.5, 0.15 * size * scale)), pen.grain)
        for _ in range(int(random.integers(1, 7))):
            start = random.uniform(0.05, 0.8, 2) * [surface.aspect, 1]
            words = scribble(size, random.uniform(0.1, 0.6) * surface.aspect, random)
            moved = [word + start.astype(np.float32) for word in words]
            span = np.concatenate(moved)
            low, high = span.min(axis=0) - size, span.max(axis=0) + size
            if any(((centre + reach > low) & (centre - reach < high)).all() for centre, reach in cells):
                continue
            ink = ink_lines(moved, surface.place, written, self.size_wh)
            if ink is not None:
                lay_ink(page, ink, written, grain)

    def _lit(self, page: NDArray[np.uint8], surface: Surface, random: np.random.Generator) -> NDArray[np.uint8]:
        photographed = None
        if self._lights and surface.kind == "paper" and random.random() < 0.3:
            photographed = self._lights[int(random.integers(len(self._lights)))]
        light = shade(surface, self.size_wh, random, photographed)
        lit: NDArray[np.uint8] = np.clip(page * light, 0, 255).astype(np.uint8)
        return lit

    def _backdrop(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], bool]:
        """What the sheet lies on, and whether it is a part of a photograph."""
        if self._backdrops and random.random() < 0.7:
            photo = self._backdrops[int(random.integers(len(self._backdrops)))]
            return fitted_part(photo, self.size_wh, random), True
        return plain_desk(self.size_wh, random), False


def fitted_part(photo: NDArray[np.uint8], size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
    """A random part of a photograph at the page's size, mirrored at times; uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    aspect = size_wh[0] / size_wh[1]
    most = min(width, height * aspect)
    cut_width = most * random.uniform(0.5, 1.0)
    cut_wh = (max(1, round(cut_width)), max(1, round(cut_width / aspect)))
    left = int(random.integers(max(0, width - cut_wh[0]) + 1))
    top = int(random.integers(max(0, height - cut_wh[1]) + 1))
    cut = photo[top : top + cut_wh[1], left : left + cut_wh[0]]
    how = cv2.INTER_AREA if cut_wh[0] > size_wh[0] else cv2.INTER_LINEAR
    seen = cv2.resize(cut, size_wh, interpolation=how)
    return np.asarray(cv2.flip(seen, 1) if random.random() < 0.5 else seen, np.uint8)


def plain_desk(size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
    """A surface of one colour with a grain; uint8 (H, W, 3)."""
    base = random.uniform(15, 235) + random.normal(0, 18, 3)
    wood = random.standard_normal((int(random.integers(2, 60)), int(random.integers(2, 12)), 1)).astype(np.float32)
    grain = np.atleast_3d(cv2.resize(wood, size_wh, interpolation=cv2.INTER_CUBIC))
    if random.random() < 0.3:
        grain = np.ascontiguousarray(np.atleast_3d(cv2.resize(grain.transpose(1, 0, 2), size_wh)))
    desk = base.astype(np.float32) + grain * np.float32(random.uniform(0, 14))
    painted: NDArray[np.uint8] = np.clip(desk, 0, 255).astype(np.uint8)
    return painted


def sheet_light(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The light on a photographed sheet, without what is drawn on it; float32 (60, 80), mean 1.

    Ink is darker and narrower than the kernel of a grey-level closing, which removes it; what is left is light.
    """
    grey = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), (320, 240), interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((17, 17), np.uint8))
    small = cv2.resize(cv2.GaussianBlur(closed, (0, 0), 6), (80, 60), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(np.clip(small / max(float(small.mean()), 1.0), 0.4, 1.5), np.float32)


def _over(front: NDArray[np.uint8], back: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = cover.astype(np.float32)[:, :, None] / 255
    return np.asarray(front * share + back * (1 - share) + 0.5, np.uint8)


def label_ink(
    inks: Sequence[tuple[Drawing, Ink]], hidden: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]:
    """Boxes, categories and owners of the ink that can be seen; drawings that are nearly hidden have none."""
    owners = np.zeros(hidden.shape, np.uint8)
    boxes, categories = [], []
    for drawing, ink in inks:
        height, width = ink.cover.shape
        window = np.s_[ink.top : ink.top + height, ink.left : ink.left + width]
        free = ~hidden[window]
        seen = np.where(free, ink.cover, 0)
        # A thin pen never covers a whole pixel: what counts is half of the most that it covers.
        mark = seen >= min(INK_LEVEL, max(1, int(ink.cover.max()) // 2))
        outline = mark if ink.fill is None else mark | (free & (ink.fill >= 128))
        if not outline.any() or float(seen.sum()) < _LEAST_VISIBLE * ink.whole:
            continue
        rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
        box = (ink.left + columns[0], ink.top + rows[0], ink.left + columns[-1] + 1, ink.top + rows[-1] + 1)
        if max(box[2] - box[0], box[3] - box[1]) < _LEAST_SIDE * min(hidden.shape):
            continue
        boxes.append(box)
        categories.append(drawing.category)
        owners[window][mark] = len(boxes)
    return np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(categories, np.int64), owners
