"""ViTPose: a heatmap a keypoint, whose peak is refined to parts of a cell.

As `keypoints_from_heatmaps` of transformers' ViTPose image processor, with its kernel of 11 cells: one step of Newton's
method on the logarithm of the smoothed map. Zhang et al. (DARK), https://arxiv.org/abs/1910.06278
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RADIUS, _SIGMA = 5, 0.8
_LEAST, _MOST = 0.001, 50.0
_EPSILON = float(np.finfo(np.float32).eps)
_AROUND = np.array([-1, 0, 1])


def peaks(heatmaps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The keypoint of each heatmap.

    Args:
        heatmaps: float32 (N, K, h, w); what is not a number counts as 0.

    Returns:
        Places float32 (N, K, 2), x and y in cells, and the heights of the peaks float32 (N, K). Peaks that are not
        above 0 have a place too, where transformers gives -1.
    """
    heatmaps = np.nan_to_num(heatmaps, nan=0.0, posinf=_MOST, neginf=0.0)
    count, names, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, names, height * width)
    if not flat.size:
        return np.zeros((count, names, 2), np.float32), np.zeros((count, names), np.float32)
    rows, columns = np.divmod(flat.argmax(axis=2), width)
    heights = flat.max(axis=2)
    places = np.stack([columns, rows], axis=-1) - _newton_steps(_log_smoothed(heatmaps, rows, columns))
    return places.astype(np.float32), heights


def _log_smoothed(
    heatmaps: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The logarithm of the smoothed maps at 3x3 cells around cells (N, K), (N, K, 3, 3); nowhere else is it wanted."""
    weights = np.exp(-0.5 * np.square(np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA))
    weights /= weights.sum()
    windows = [
        _mirrored(np.clip(cells[..., None] + _AROUND, 0, side - 1), side)
        for cells, side in ((rows, heatmaps.shape[2]), (columns, heatmaps.shape[3]))
    ]
    n, k = np.ogrid[: heatmaps.shape[0], : heatmaps.shape[1]]
    # (N, K, 3, 11, 3, 11): what each of the nine cells is smoothed from.
    around = heatmaps[
        n[..., None, None, None, None],
        k[..., None, None, None, None],
        windows[0][..., :, :, None, None],
        windows[1][..., None, None, :, :],
    ]
    smoothed = np.einsum("nkiajb,a,b->nkij", around, weights, weights, optimize=True)
    return np.asarray(np.log(np.clip(smoothed, _LEAST, _MOST).astype(np.float32)))


def _mirrored(cells: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Indices (..., 11) of the cells around cells (...); beyond an edge the map is mirrored, its outermost cell too."""
    around = (cells[..., None] + np.arange(-_RADIUS, _RADIUS + 1)) % (2 * side)
    return np.where(around < side, around, 2 * side - 1 - around)


def _newton_steps(around: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far x and y (N, K, 2) of the centres are from the extremum, of maps (N, K, 3, 3) around them."""
    centre = around[..., 1, 1]
    left, right, above, below = around[..., 1, 0], around[..., 1, 2], around[..., 0, 1], around[..., 2, 1]
    dx, dy = 0.5 * (right - left), 0.5 * (below - above)
    dxx, dyy = right - 2 * centre + left + _EPSILON, below - 2 * centre + above + _EPSILON
    dxy = 0.5 * (around[..., 2, 2] - right - below + 2 * centre - left - above + around[..., 0, 0])
    determinant = dxx.astype(np.float64) * dyy - np.square(dxy, dtype=np.float64)
    steps = np.stack([dyy * dx - dxy * dy, dxx * dy - dxy * dx], axis=-1)
    # A flat map has no extremum.
    there_is_one = determinant[..., None] != 0
    return np.asarray(np.divide(steps, determinant[..., None], out=np.zeros(steps.shape), where=there_is_one))
