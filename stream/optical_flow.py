"""How the picture of one stream moves: dense optical flow between small grey views of its frames (write thread).

The method is that of Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016, as OpenCV has it. It
costs the same whatever is in the picture: docs/benchmarks.md, `carrying`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame
from stream.grey_view import small_grey

_LONGER_SIDE_PX = 256
_SHORTEST_SIDE_PX = 16
"""Below it there is no flow to be found."""
_FINEST_SCALE = 1
"""Flow is found at half the small picture's size. At a quarter, the preset's choice, boxes lag behind by a tenth."""
_VIEWS_KEPT = 128
_FLOWS_KEPT = 4
_MOST_STEPS = 6
"""From one frame to another; what lies further apart is crossed in longer steps."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame as flow sees it: small and grey.

    Attributes:
        index: of the frame.
        size_wh: of the frame in pixels.
        grey: uint8 (h, w).
    """

    index: int
    size_wh: tuple[int, int]
    grey: NDArray[np.uint8]

    @classmethod
    def of(cls, frame: Frame) -> View:
        """The view of a frame."""
        return cls(frame.index, frame.size_wh, small_grey(frame.image, _LONGER_SIDE_PX))


class OpticalFlow:
    """Remembers what the last frames of one stream looked like."""

    def __init__(self) -> None:
        """See nothing yet."""
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(_FINEST_SCALE)
        self._views: deque[View] = deque(maxlen=_VIEWS_KEPT)
        # The steps that several models share.
        self._found: dict[tuple[int, int], NDArray[np.float32]] = {}

    def note(self, view: View) -> None:
        """Remember a frame that later ways may pass; frames come in their order."""
        self._views.append(view)

    def steps(self, start: View, end: View) -> list[View]:
        """The frames to go by from one to a later one, which is the last of them; none where there is no flow."""
        if start.index == end.index or min(end.grey.shape) < _SHORTEST_SIDE_PX:
            return []
        between = [view for view in self._views if start.index < view.index < end.index and view.size_wh == end.size_wh]
        way = [*between, end]
        count = min(len(way), _MOST_STEPS)
        return [way[(number + 1) * len(way) // count - 1] for number in range(count)]

    def between(self, start: View, end: View) -> NDArray[np.float32]:
        """How far each pixel of one view has gone in another of the same size, float32 (h, w, 2), x first."""
        key = (start.index, end.index)
        if key not in self._found:
            if len(self._found) == _FLOWS_KEPT:
                del self._found[next(iter(self._found))]
            # OpenCV's stub asks for the array that it makes itself.
            flow = np.zeros((*start.grey.shape, 2), np.float32)
            self._found[key] = np.asarray(self._flow.calc(start.grey, end.grey, flow))
        return self._found[key]
