"""What is behind people, or behind what was pointed at, becomes white, blurred or another picture (write thread).

Unlike `isolate` the edge is soft, and it is steady: the mask is smoothed in time, more where it trembles and less where
something really moves, and begins anew where the scene is cut. Until somebody has been seen, all is background: what
was to be hidden is never shown by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.prompted_model import TASK as POINTED
from models.results import Detections, Result, SegmentationMap
from stream.grey_view import small_grey
from stream.overlays.emphasis import marked_label, out_of_focus

PERSON = "person"
BLUR, WHITE = "blur", "white"

_LONGER_SIDE_PX = 320
"""Of the mask as it is smoothed: finer than what models of people answer with."""
_EDGE_SIGMA_PX = 1.8
_TREMBLING = 0.55
"""A pixel whose softened share of the person changes by less trembles; by `_MOVED` or more, something is there."""
_MOVED = 0.95
_STEADY_SECONDS = 0.12
"""How slowly what trembles follows: the time constant of an exponential mean."""
_LONGEST_GAP_SECONDS = 0.5
_CUT_SIDE_PX = 64
_CUT_LEVELS = 40.0
"""Mean difference of two small grey pictures, of 255 levels, from which they are of two scenes."""


class Background:
    """Holds how the mask of one stream has been lately."""

    def __init__(self, kind: Literal["blur", "white"] | NDArray[np.uint8]) -> None:
        """Nothing has been seen.

        Args:
            kind: what comes behind people: `blur`, `white`, or a picture uint8 (h, w, 3), BGR, that is cut to fill.
        """
        self._kind = kind
        self._fitted: NDArray[np.uint8] | None = None
        self._share: NDArray[np.float32] | None = None
        self._seconds = 0.0
        self._view: NDArray[np.uint8] | None = None

    def apply(self, canvas: NDArray[np.uint8], results: Mapping[str, Result], seconds: float) -> None:
        """Change in place what is behind people.

        Args:
            canvas: uint8 (H, W, 3), BGR, the picture itself.
            results: by model name, of that picture; masks and maps with the class `person` count, and masks of what
                somebody pointed at.
            seconds: the frame's presentation time.
        """
        height, width = canvas.shape[:2]
        marked = marked_label(results, PERSON, (height, width), with_boxes=False)
        for result in results.values():
            if isinstance(result, Detections) and result.task == POINTED and result.masks is not None:
                marked |= result.masks.any(axis=0).view(np.uint8) * np.uint8(255)
        share = self._steady(_softened(marked), canvas, seconds)
        alpha = cv2.resize(_levels(share), (width, height), interpolation=cv2.INTER_LINEAR)
        _put_behind(canvas, self._behind(canvas), np.asarray(alpha, np.uint8))

    def drawn(self, results: Mapping[str, Result]) -> dict[str, Result]:
        """The results that are still drawn: no tint covers what stands before the new background."""
        kept: dict[str, Result] = {}
        for name, result in results.items():
            if isinstance(result, SegmentationMap) and PERSON in result.class_names:
                continue
            if isinstance(result, Detections) and (PERSON in result.class_names or result.task == POINTED):
                kept[name] = replace(result, masks=None)
            else:
                kept[name] = result
        return kept

    def _steady(self, share: NDArray[np.float32], canvas: NDArray[np.uint8], seconds: float) -> NDArray[np.float32]:
        """The people's share of each pixel float32 (h, w), without the trembling of what is inferred frame by frame."""
        view = small_grey(canvas, _CUT_SIDE_PX)
        before, gap = self._share, seconds - self._seconds
        is_cut = (
            before is None
            or self._view is None
            or before.shape != share.shape
            or self._view.shape != view.shape
            or not 0 <= gap <= _LONGEST_GAP_SECONDS
            or float(cv2.absdiff(view, self._view).mean()) > _CUT_LEVELS
        )
        if before is not None and not is_cut:
            change = share - before
            moved = np.clip((np.abs(change) - _TREMBLING) / (_MOVED - _TREMBLING), 0, 1)
            pace = np.float32(1 - np.exp(-gap / _STEADY_SECONDS))
            share = before + change * (pace + (1 - pace) * moved)
        self._share, self._seconds, self._view = share, seconds, view
        return share

    def _behind(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if isinstance(self._kind, str):
            return out_of_focus(canvas) if self._kind == BLUR else np.full_like(canvas, 255)
        if self._fitted is None or self._fitted.shape != canvas.shape:
            self._fitted = _filling(self._kind, (canvas.shape[1], canvas.shape[0]))
        return self._fitted


def _softened(marked: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A mask 0 or 255 (H, W) as shares 0..1 with a soft edge, small."""
    height, width = marked.shape
    scale = min(1.0, _LONGER_SIDE_PX / max(width, height))
    small_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(marked, small_wh, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), _EDGE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, np.float32) * np.float32(1 / 255)


def _levels(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shares as levels 0..255, the edge a little narrower than it was smoothed."""
    return np.asarray(np.clip((share - 0.15) / 0.7, 0, 1) * 255 + 0.5, np.uint8)


def _put_behind(canvas: NDArray[np.uint8], behind: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    """Put a picture where alpha (H, W) is not 255, in place; only the narrow band of an edge is mixed."""
    band = np.flatnonzero((alpha > 0) & (alpha < 255))
    pixels = canvas.reshape(-1, 3)
    share = alpha.reshape(-1)[band].astype(np.float32)[:, None] * np.float32(1 / 255)
    rest = behind.reshape(-1, 3)[band].astype(np.float32)
    mixed = rest + (pixels[band] - rest) * share
    cv2.copyTo(behind, cv2.inRange(alpha, 0, 0), canvas)
    pixels[band] = np.rint(mixed).astype(np.uint8)


def _filling(picture: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture that fills a size, cut at two sides where it has another shape."""
    height, width = picture.shape[:2]
    scale = max(size_wh[0] / width, size_wh[1] / height)
    cut_wh = (min(width, max(1, round(size_wh[0] / scale))), min(height, max(1, round(size_wh[1] / scale))))
    left, top = (width - cut_wh[0]) // 2, (height - cut_wh[1]) // 2
    part = picture[top : top + cut_wh[1], left : left + cut_wh[0]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size_wh, interpolation=how), np.uint8)
