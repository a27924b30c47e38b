"""The contract of an overlay: draws one kind of result on the one canvas of a frame, in place, on the write thread.

`stream.overlays.drawing` finds the overlays and calls them: first every result's areas, then every result's marks, then
every result's panel, so that no model's mask lies on another's box, and no mark on a panel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Layout

R = TypeVar("R")


class Overlay(Generic[R]):
    """Draws one kind of result; an overlay overrides the parts that its kind has."""

    def draw_areas(self, canvas: NDArray[np.uint8], result: R, layout: Layout) -> None:
        """Draw what covers the things seen: masks, maps.

        Args:
            canvas: uint8 (H, W, 3), BGR, contiguous.
            result: of the kind's type.
            layout: the frame's sizes of text and lines.
        """

    def draw_marks(self, canvas: NDArray[np.uint8], result: R, layout: Layout) -> None:
        """Draw what lies on the things seen: boxes, labels.

        Args:
            canvas: uint8 (H, W, 3), BGR, contiguous; what falls outside it is clipped.
            result: of the kind's type.
            layout: the frame's sizes of text and lines.
        """

    def draw_panel(self, canvas: NDArray[np.uint8], result: R, title: str, layout: Layout) -> None:
        """Draw what is said of the picture as a whole, in a panel at a place that the layout gives.

        Args:
            canvas: as for `draw_areas`.
            result: of the kind's type.
            title: what to call the model.
            layout: the frame's free places; a panel for which it has none is not drawn.
        """


@dataclass(frozen=True, slots=True)
class OverlayKind:
    """One kind of overlay: a module of `stream.overlays` offers itself as its attribute `OVERLAY`.

    Attributes:
        result_type: the exact type of results that it draws.
        make: makes the overlay.
    """

    result_type: type
    make: Callable[[], Overlay[Any]]
