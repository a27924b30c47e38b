"""Finds and reads the pictures of annotated data; called on the command's thread."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import DataError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def read_picture(path: Path, *, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """A picture as OpenCV decodes it with these flags: uint8 (H, W, 3), BGR, upright, unless they say otherwise.

    Raises:
        DataError: the file is missing, damaged or no picture.
    """
    try:
        # Not cv2.imread: it cannot open paths with letters beyond the code page on Windows.
        image = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except (OSError, cv2.error) as error:
        raise DataError(f"data: {path} cannot be read ({error}); copy it again") from error
    if image is None:
        raise DataError(f"data: {path} is damaged or no picture; convert it to PNG or JPEG")
    return np.asarray(image, np.uint8)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures directly in a folder, by name; hidden files are passed over."""
    files = (path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    return sorted(path for path in files if not path.name.startswith("."))


class PictureIndex:
    """Finds the files that annotations name, wherever below a folder they lie."""

    def __init__(self, folder: Path) -> None:
        """Nothing is listed before a name has to be looked for."""
        self._folder = folder
        self._by_name: dict[str, Path] | None = None

    def find(self, file_name: str) -> Path | None:
        """The file of that relative path, else the one of that name in any folder below; None where there is none."""
        path = self._folder / file_name
        if path.is_file():
            return path
        if self._by_name is None:
            self._by_name = _files_below(self._folder)
        return self._by_name.get(Path(file_name).name)


def _files_below(folder: Path) -> dict[str, Path]:
    found: Iterable[Path] = (path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    # Backwards, so that of two files of one name the first in order is kept.
    return {path.name: path for path in sorted(found, reverse=True)}
