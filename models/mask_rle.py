"""Masks as COCO's compressed run lengths: the form in which results files hold them.

The format is that of `rleToString` in https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask bool (H, W) as `{"size": [H, W], "counts": str}`, which pycocotools and its kin read."""
    height, width = mask.shape
    return {"size": [height, width], "counts": _counts_string(_run_lengths(mask))}


def _run_lengths(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many pixels are off, on, off, ... column after column; the first number is 0 where the first pixel is on."""
    columns = cv2.transpose(np.ascontiguousarray(mask).view(np.uint8)).ravel()
    changes = np.flatnonzero(columns[1:] != columns[:-1]) + 1
    starts_on = np.zeros(int(columns[:1].sum()), np.int64)
    return np.diff(np.concatenate(([0], starts_on, changes, [len(columns)])))


def _counts_string(counts: NDArray[np.int64]) -> str:
    # From the fourth on, a number is stored as its difference from the one two before it: neighbours are alike.
    values = counts.copy()
    values[3:] -= counts[1:-2]
    characters = bytearray()
    for value in values.tolist():
        rest, more = value, True
        while more:
            five_bits = rest & 0x1F
            rest >>= 5
            # Done when what is left is nothing but the sign that these five bits carry already.
            more = rest != (-1 if five_bits & 0x10 else 0)
            characters.append(48 + five_bits + (0x20 if more else 0))
    return characters.decode("ascii")
