"""Quick, Draw! files as training sets: 28x28 bitmaps (`.npz`, `.npy`) and pen strokes (`.ndjson`), one file a category.

The split is a matter of position alone: of each file the last share is held out, the part before it is for validation,
and the rest trains, so that everyone who has the files has the same split.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.sketch_raster import SIDE_PX, Strokes, draw_in_box, simplify
from models.training.errors import TrainingError

Part = Literal["training", "validation", "held_out"]

BITMAP_SUFFIXES = (".npz", ".npy")
STROKES_SUFFIX = ".ndjson"


@dataclass(frozen=True, slots=True)
class Split:
    """How a file of drawings is shared out.

    Attributes:
        held_out: the last share, never trained on.
        validation: the last share of what remains, for watching the training.
    """

    held_out: float
    validation: float

    def __post_init__(self) -> None:
        for name, share in (("held_out", self.held_out), ("validation", self.validation)):
            if not 0 <= share < 1:
                raise ValueError(f"{name}: expected a share of at least 0 and below 1, got {share}")

    def range_of(self, part: Part, count: int) -> range:
        """Positions of a part in a file of `count` drawings; held-out and validation shares are rounded up."""
        held_out_start = _cut(count, self.held_out)
        validation_start = _cut(held_out_start, self.validation)
        if part == "training":
            return range(validation_start)
        if part == "validation":
            return range(validation_start, held_out_start)
        return range(held_out_start, count)


@dataclass(frozen=True, slots=True)
class SketchSet:
    """Drawings of some categories, bitmaps first.

    Attributes:
        class_names: what the labels index.
        bitmaps: uint8 (B, 28, 28), white on black.
        drawings: strokes float32 (N, 2) in the box of 256.
        labels: int64 (B + len(drawings),).
    """

    class_names: tuple[str, ...]
    bitmaps: NDArray[np.uint8]
    drawings: tuple[Strokes, ...]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.bitmaps.shape[1:] != (SIDE_PX, SIDE_PX) or self.bitmaps.dtype != np.uint8:
            raise ValueError(f"bitmaps: expected uint8 (N, 28, 28), got {self.bitmaps.dtype} {self.bitmaps.shape}")
        if self.labels.shape != (len(self),):
            raise ValueError(f"labels: expected ({len(self)},), got {self.labels.shape}")

    def __len__(self) -> int:
        return len(self.bitmaps) + len(self.drawings)

    def rendered(self) -> NDArray[np.uint8]:
        """Every drawing as a bitmap, nothing augmented; uint8 (N, 28, 28)."""
        if not self.drawings:
            return self.bitmaps
        return np.concatenate([self.bitmaps, np.stack([draw_in_box(strokes) for strokes in self.drawings])])


def category_names(folder: Path) -> tuple[str, ...]:
    """The categories that a folder has files for, in the order of their names.

    Raises:
        TrainingError: it has none.
    """
    suffixes = (*BITMAP_SUFFIXES, STROKES_SUFFIX)
    names = {path.stem for path in folder.glob("*") if path.suffix in suffixes}
    if not names:
        raise TrainingError(f"{folder} holds no Quick, Draw! files: expected one .npz, .npy or .ndjson a category")
    return tuple(sorted(names))


def read_sketches(folder: Path, part: Part, split: Split, class_names: Sequence[str]) -> SketchSet:
    """Read one part of every file whose category is among `class_names`; other files are left aside.

    Raises:
        TrainingError: a file is not in Google's layout.
    """
    bitmaps: list[NDArray[np.uint8]] = []
    drawings: list[Strokes] = []
    bitmap_labels: list[int] = []
    drawing_labels: list[int] = []
    for label, name in enumerate(class_names):
        for path in _files_of(folder, name):
            if path.suffix == STROKES_SUFFIX:
                lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
                chosen = split.range_of(part, len(lines))
                drawings += [_parse_strokes(lines[index], path, index) for index in chosen]
                drawing_labels += [label] * len(chosen)
            else:
                images = read_bitmaps(path)
                chosen = split.range_of(part, len(images))
                bitmaps.append(images[chosen.start : chosen.stop])
                bitmap_labels += [label] * len(chosen)
    stacked = np.concatenate(bitmaps) if bitmaps else np.zeros((0, SIDE_PX, SIDE_PX), np.uint8)
    labels = np.asarray(bitmap_labels + drawing_labels, dtype=np.int64)
    return SketchSet(tuple(class_names), stacked, tuple(drawings), labels)


def read_bitmaps(path: Path) -> NDArray[np.uint8]:
    """One category's bitmaps, uint8 (N, 28, 28), from Google's `.npy` (N, 784) or an `.npz` with the key `bitmaps`.

    Raises:
        TrainingError: the file is something else.
    """
    try:
        stored = np.load(path, allow_pickle=False)
        rows = stored["bitmaps"] if path.suffix == ".npz" else stored
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path}: no bitmaps can be read from it ({error}); fetch it again") from error
    if rows.dtype != np.uint8 or rows.ndim < 2 or int(np.prod(rows.shape[1:])) != SIDE_PX * SIDE_PX:
        raise TrainingError(f"{path}: expected uint8 (N, 784), got {rows.dtype} {rows.shape}")
    images: NDArray[np.uint8] = np.ascontiguousarray(rows).reshape(-1, SIDE_PX, SIDE_PX)
    return images


def _parse_strokes(line: str, path: Path, index: int) -> Strokes:
    """A line of Google's raw `[[x...], [y...], [t_ms...]]` or simplified `[[x...], [y...]]` layout."""
    try:
        drawing = json.loads(line)["drawing"]
        strokes = simplify([np.asarray(stroke[:2], dtype=np.float32).T for stroke in drawing])
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: drawing {index + 1} is not in Quick, Draw!'s layout: {error}") from error
    if not strokes:
        raise TrainingError(f"{path}: drawing {index + 1} has no strokes; delete its line")
    return strokes


def _files_of(folder: Path, name: str) -> Iterator[Path]:
    for suffix in (*BITMAP_SUFFIXES, STROKES_SUFFIX):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            yield path


def _cut(count: int, share: float) -> int:
    # The small addend keeps 3500 * 0.9 from falling to 3149 by rounding.
    return int(count * (1 - share) + 1e-9)


def without_copies_of(sketches: SketchSet, others: SketchSet, rms_limit: float = 20.0) -> SketchSet:
    """The same set less every drawing that is also in `others`, be it in the other form.

    Google's bitmaps and stroke files of a category hold the same drawings. A drawing, rasterised here, and its bitmap
    differ by a root mean square of about 6 grey levels, two different drawings seldom by less than 30.
    """
    keep = np.ones(len(sketches), dtype=bool)
    own, foreign = _as_rows(sketches), _as_rows(others)
    for label in np.unique(sketches.labels):
        mine, theirs = np.flatnonzero(sketches.labels == label), others.labels == label
        if not theirs.any():
            continue
        a, b = own[mine], foreign[theirs]
        squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
        keep[mine] = squared.min(axis=1) > rms_limit**2 * a.shape[1]
    bitmap_count = len(sketches.bitmaps)
    drawings = tuple(d for d, kept in zip(sketches.drawings, keep[bitmap_count:], strict=True) if kept)
    return SketchSet(sketches.class_names, sketches.bitmaps[keep[:bitmap_count]], drawings, sketches.labels[keep])


def _as_rows(sketches: SketchSet) -> NDArray[np.float32]:
    return sketches.rendered().reshape(len(sketches), SIDE_PX * SIDE_PX).astype(np.float32)
