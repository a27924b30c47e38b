"""Fetches Quick, Draw! drawings (Google, CC BY 4.0) from their public place, one file a category.

A file of the whole set holds some 120,000 drawings; only its beginning is fetched, up to the number asked for.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from models.training.errors import TrainingError

QUICKDRAW_URL = "https://storage.googleapis.com/quickdraw_dataset/full"
DrawingForm = Literal["bitmaps", "simplified", "raw"]

# Of the 345 categories those that the small bundled model knows.
CATEGORIES_32 = (
    "airplane", "alarm clock", "apple", "banana", "bicycle", "bird", "book", "bowtie",
    "cat", "diamond", "dog", "dragon", "eye", "fish", "flower", "house",
    "lion", "lollipop", "monkey", "moon", "penguin", "rabbit", "rainbow", "sea turtle",
    "snowflake", "snowman", "squirrel", "star", "tiger", "train", "whale", "windmill",
)  # fmt: skip

_FOLDERS: dict[DrawingForm, tuple[str, str]] = {
    "bitmaps": ("numpy_bitmap", ".npy"),
    "simplified": ("simplified", ".ndjson"),
    "raw": ("raw", ".ndjson"),
}
_TIMEOUT_S = 30.0
_ROW_BYTES = 28 * 28


def download_quickdraw(
    folder: Path,
    categories: Sequence[str] = CATEGORIES_32,
    *,
    form: DrawingForm = "bitmaps",
    drawings_per_category: int = 4000,
    base_url: str = QUICKDRAW_URL,
    on_file: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Fetch the first drawings of each category into `folder`; a file that is there already is left as it is.

    Args:
        folder: made where it is missing.
        categories: names as Quick, Draw! spells them: `sea turtle`.
        form: 28x28 bitmaps (`.npy`), or pen strokes (`.ndjson`), simplified or raw.
        drawings_per_category: at most so many of each.
        base_url: where the folders `numpy_bitmap`, `simplified` and `raw` lie.
        on_file: called before each category with its name, its number from 0, and how many there are.

    Raises:
        TrainingError: the place is out of reach, has no such category, or sends something else than drawings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remote, suffix = _FOLDERS[form]
    for number, name in enumerate(categories):
        if on_file is not None:
            on_file(name, number, len(categories))
        target = folder / f"{name}{suffix}"
        if target.exists():
            continue
        url = f"{base_url}/{remote}/{urllib.parse.quote(name)}{suffix}"
        partial = target.with_name(target.name + ".partial")
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response, partial.open("wb") as file:
                _copy_first(response, file, form, drawings_per_category)
        except urllib.error.HTTPError as error:
            raise TrainingError(f"{url}: the server answered {error.code}; check the name of the category") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise TrainingError(
                f"{url}: cannot be fetched ({error}); check the network, or put the files into {folder} by hand"
            ) from error
        partial.replace(target)
    return folder


def _copy_first(response: IO[bytes], file: IO[bytes], form: DrawingForm, count: int) -> None:
    if form == "bitmaps":
        np.save(file, _read_first_rows(response, count))
        return
    for _, line in zip(range(count), response, strict=False):
        file.write(line)


def _read_first_rows(response: IO[bytes], count: int) -> NDArray[np.uint8]:
    """The first rows of a `.npy` file of uint8 (N, 784) that is still arriving."""
    version = np.lib.format.read_magic(response)
    if version != (1, 0):
        raise ValueError(f"expected a .npy file of version 1.0, got {version}")
    shape, column_major, dtype = np.lib.format.read_array_header_1_0(response)
    if dtype != np.uint8 or column_major or shape[1:] != (_ROW_BYTES,):
        raise ValueError(f"expected uint8 rows of {_ROW_BYTES}, got {dtype} {shape}")
    rows = min(count, shape[0])
    data = response.read(rows * _ROW_BYTES)
    if len(data) != rows * _ROW_BYTES:
        raise ValueError(f"expected {rows * _ROW_BYTES} bytes, got {len(data)}")
    return np.frombuffer(data, np.uint8).reshape(rows, _ROW_BYTES)
