"""What models cut out, and how far it is, as pictures: `masks/`, `masks:FOLDER/`, `masks:FILE.gif` (write thread).

The folder gets, for each frame and model, a binary PNG (0 and 255) an object or class, and one in the classes' colours
on black. Of a depth map it gets a 16-bit PNG, and one in its colours. The GIF shows each frame as it came, then its
coloured masks, then the annotated picture, a second each. Frames for which no model with masks was asked are left out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from models.results import UNLABELLED, DepthMap, Detections, SegmentationMap
from stream.file_names import distinct_file_names
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.overlays.depth import depth_colours
from stream.overlays.theme import class_colour
from stream.sinks.gif import GifSink
from stream.sinks.picture_folder import PictureFolder
from stream.sinks.sink import Sink, SinkKind

PREFIX = "masks:"
_FOLDER = "masks"
_OURS = re.compile(r"frame_\d{6,}_.+\.png")
_COLOURS = "colours"
_DEPTH = "depth"
_BACKGROUND = ("background", "__background__")

_log = logging.getLogger("mirilla")

Masked = Detections | SegmentationMap | DepthMap


class MaskFolderSink(Sink):
    """Writes PNGs named by frame, model, label and number: `frame_000007_segmenter_person_2.png`.

    The number is the object's track id where it has one, otherwise its rank among all objects of the frame, the surest
    being 1. A class of a map has none. Depths are called `depth`, and are as `depth_levels` makes them. Classes
    and models whose names would give one file are numbered: `cat`, `cat-2`.
    """

    needs_image = False
    wants_inferred = True

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: as the user wrote it, with the prefix.
            overwrite: whether the masks of an earlier run in that folder may be replaced.
        """
        self._folder = PictureFolder(spec, spec.removeprefix(PREFIX), _OURS, overwrite=overwrite)
        self._model_parts: dict[str, str] = {}

    @override
    def open(self, info: SourceInfo) -> None:
        """Create the folder, or see that it is empty."""
        self._folder.open()

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Write the masks of one frame."""
        for model, found in masked_results(result):
            if model not in self._model_parts:
                (self._model_parts[model],) = _parts([model], self._model_parts.values())
            start = f"frame_{result.frame.index:06d}_{self._model_parts[model]}"
            for name, mask in _binary_masks(found):
                self._folder.write(f"{start}_{name}", mask)
            if isinstance(found, DepthMap):
                self._folder.write(f"{start}_{_DEPTH}", depth_levels(found))
            self._folder.write(f"{start}_{_COLOURS}", coloured_masks([found], result.frame.size_wh))

    def close(self) -> None:
        """Remove the folder again where it is new and nothing came, and say so."""
        self._folder.close()
        if not self._folder.count:
            _log.warning("%s: no model gave masks or depths; choose one that does", self._folder.spec)

    def paths(self) -> list[str]:
        """The folder, once there is a picture in it."""
        return self._folder.paths()


class MaskGifSink(Sink):
    """Writes one GIF that goes from the picture to its masks to the overlay."""

    wants_inferred = True

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: as the user wrote it, with the prefix.
            overwrite: whether an existing file may be replaced.
        """
        self._spec = spec
        self._gif = GifSink(spec.removeprefix(PREFIX), overwrite)
        self._count = 0

    def open(self, info: SourceInfo) -> None:
        """Create the partial file."""
        self._gif.open(replace(info, rate=Fraction(1), time_base=Fraction(1), frame_count=None, audio=None))

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Add three pictures of one frame."""
        found = [one for _, one in masked_results(result)]
        if not found:
            return
        frame = result.frame
        for picture in (frame.image, coloured_masks(found, frame.size_wh), image):
            moment = Frame(frame.image, self._count, Fraction(1), self._count, frame.captured_at_ns)
            self._gif.write(picture, FrameResult(moment))
            self._count += 1

    def close(self) -> None:
        """Give the file its name; say so where there is none."""
        self._gif.close()
        if not self._count:
            _log.warning("%s: no model gave masks or depths; choose one that does", self._spec)

    def paths(self) -> list[str]:
        """The file, once it stands under its name."""
        return [self._spec] if self._gif.paths() else []


def masked_results(result: FrameResult) -> Iterator[tuple[str, Masked]]:
    """The models that ran on a frame and give masks or depths, with what they gave."""
    for model, found in result.results.items():
        if model in result.carried:
            continue
        if isinstance(found, SegmentationMap | DepthMap) or (isinstance(found, Detections) and found.masks is not None):
            yield model, found


def coloured_masks(found: Sequence[Masked], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Objects, classes and depths in their colours on black, uint8 (H, W, 3), BGR.

    Background, what has no label and depths that are not known are black.

    Args:
        found: results of one picture, with masks or depths.
        size_wh: of the picture.
    """
    width, height = size_wh
    canvas = np.zeros((height, width, 3), np.uint8)
    for result in found:
        if isinstance(result, SegmentationMap):
            labelled = result.class_map != UNLABELLED
            colours = np.array(
                [
                    (0, 0, 0) if name.lower() in _BACKGROUND else class_colour(class_id)
                    for class_id, name in enumerate(result.class_names)
                ],
                np.uint8,
            )
            canvas[labelled] = colours[result.class_map[labelled]]
        elif isinstance(result, DepthMap):
            known = np.isfinite(result.values)
            canvas[known] = depth_colours(result)[known]
        elif result.masks is not None:
            # The surest object lies on top.
            for mask, class_id in zip(result.masks[::-1], result.class_ids[::-1].tolist(), strict=True):
                canvas[mask] = class_colour(class_id)
    return canvas


def depth_levels(result: DepthMap) -> NDArray[np.uint16]:
    """A depth map as levels uint16 (H, W); 0 is unknown.

    Metres become millimetres, up to 65.535 m, as depth cameras write them. Depths without a unit are spread over 1 to
    65535, from the lowest to the highest of this picture; results files say which these are.
    """
    known = np.isfinite(result.values)
    levels = np.zeros(result.values.shape, np.uint16)
    if not known.any():
        return levels
    values = result.values[known].astype(np.float64)
    if result.kind == "metric":
        values = values * 1000
    else:
        spread = float(np.ptp(values))
        values = 1 + (values - values.min()) * (65534 / spread if spread else 0.0)
    levels[known] = np.clip(np.rint(values), 1, 65535)
    return levels


def _binary_masks(found: Masked) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Names, and masks of 0 and 255, uint8 (H, W)."""
    if isinstance(found, DepthMap):
        return
    parts = _class_parts(found.class_names)
    if isinstance(found, SegmentationMap):
        for class_id, _ in found.shares():
            yield parts[class_id], _as_picture(found.class_map == class_id)
    elif found.masks is not None:
        numbers = range(1, len(found) + 1) if found.track_ids is None else found.track_ids.tolist()
        for class_id, number, mask in zip(found.class_ids.tolist(), numbers, found.masks, strict=True):
            yield f"{parts[class_id]}_{number}", _as_picture(mask)


def _as_picture(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask, np.uint8(255), np.uint8(0))


@lru_cache
def _class_parts(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """What stands for each class in names of files."""
    return _parts(class_names, (_COLOURS, _DEPTH))


def _parts(texts: Sequence[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Parts of names, of which no two are alike; `_` stands between parts, and so in none."""
    return distinct_file_names([text.replace("_", "-") for text in texts], taken)


def _accepts(spec: str) -> bool:
    """Whether it has the prefix, or is a folder that is called `masks` itself."""
    if spec.startswith(PREFIX):
        return len(spec) > len(PREFIX) and spec.lower().endswith(("/", "\\", ".gif"))
    return spec.endswith(("/", "\\")) and Path(spec).name == _FOLDER


def _make(spec: str, overwrite: bool) -> Sink:
    return MaskGifSink(spec, overwrite) if spec.lower().endswith(".gif") else MaskFolderSink(spec, overwrite)


SINK = SinkKind(
    name="masks (masks/, masks:folder/, masks:out.gif)",
    accepts=_accepts,
    make=_make,
    prefix=PREFIX,
)
