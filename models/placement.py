"""Fits a picture of any size into a model's input, and remembers how, so that boxes and maps find back to the picture.

Called by tasks on the infer thread: `fit` before the session runs, the `Placement` that it gives after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models import image_ops
from models.errors import ModelError
from models.image_ops import Uint8Image
from models.manifest import InputSpec, Manifest


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in an input tensor.

    Attributes:
        frame_wh: width and height of the picture in pixels.
        input_wh: width and height of the tensor in pixels.
        resized_wh: width and height of the picture in the tensor; larger than the tensor where it was cropped.
        offset_xy: the picture's top left corner in the tensor; negative where it was cropped.
    """

    frame_wh: tuple[int, int]
    input_wh: tuple[int, int]
    resized_wh: tuple[int, int]
    offset_xy: tuple[int, int] = (0, 0)

    def boxes_to_frame(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes float32 (N, 4) in pixels of the tensor as boxes in pixels of the picture, clipped to it."""
        scale = np.divide(self.frame_wh, self.resized_wh)
        boxes = (boxes_xyxy.reshape(-1, 2, 2) - self.offset_xy) * scale
        return np.asarray(np.clip(boxes, 0, self.frame_wh).reshape(-1, 4), np.float32)

    def points_to_tensor(self, points_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Points (..., 2) in pixels of the picture as points in pixels of the tensor."""
        scale = np.divide(self.resized_wh, self.frame_wh)
        return np.asarray(points_xy * scale + self.offset_xy, np.float32)

    def frame_part(self) -> tuple[slice, slice]:
        """The rows and columns of the picture that the tensor shows: all of them, but for a centre crop."""
        parts = []
        for axis in (1, 0):
            scale = self.frame_wh[axis] / self.resized_wh[axis]
            start = round(-self.offset_xy[axis] * scale)
            stop = round((self.input_wh[axis] - self.offset_xy[axis]) * scale)
            parts.append(slice(max(0, start), min(self.frame_wh[axis], stop)))
        return parts[0], parts[1]

    def sample(self, plane: NDArray[np.float32], part: tuple[slice, slice]) -> NDArray[np.float32]:
        """A map over the tensor, interpolated at pixels of the picture.

        Args:
            plane: float32 (h, w), of any resolution, spread over the whole tensor.
            part: rows and columns of the picture that are wanted.

        Returns:
            float32, of the part's height and width; bilinear between the plane's pixel centres, as
            `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` is.
        """
        rows, columns = part
        size_wh = (columns.stop - columns.start, rows.stop - rows.start)
        if self.resized_wh == self.input_wh and self.offset_xy == (0, 0) and size_wh == self.frame_wh:
            return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
        to_plane = np.zeros((2, 3))
        for axis, start in enumerate((columns.start, rows.start)):
            to_tensor = self.resized_wh[axis] / self.frame_wh[axis]
            to_cells = plane.shape[1 - axis] / self.input_wh[axis]
            to_plane[axis, axis] = to_tensor * to_cells
            to_plane[axis, 2] = ((start + 0.5) * to_tensor + self.offset_xy[axis]) * to_cells - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(plane, to_plane, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE))

    def sample_nearest(self, plane: NDArray[np.bool_], part: tuple[slice, slice]) -> NDArray[np.bool_]:
        """A map over the tensor at pixels of the picture, each the cell that its top left corner lies in.

        Args:
            plane: bool (h, w), of any resolution, spread over the whole tensor.
            part: rows and columns of the picture that are wanted.

        Returns:
            bool, of the part's height and width, as `torch.nn.functional.interpolate(mode="nearest")` gives them.
        """
        cells = []
        for axis, side in ((1, part[0]), (0, part[1])):
            to_tensor = self.resized_wh[axis] / self.frame_wh[axis]
            to_cells = plane.shape[1 - axis] / self.input_wh[axis]
            places = (np.arange(side.start, side.stop) * to_tensor + self.offset_xy[axis]) * to_cells
            # A rounding error below a whole number would fall into the cell before.
            cells.append(np.floor(places + 1e-6).astype(np.int64).clip(0, plane.shape[1 - axis] - 1))
        # Columns first: what is gathered then is small.
        return np.asarray(plane.take(cells[1], axis=1).take(cells[0], axis=0))


def fit(image_bgr: Uint8Image, spec: InputSpec) -> tuple[NDArray[np.float32], Placement]:
    """The input float32 (1, C, H, W) for a BGR picture uint8 (H, W, 3), and where the picture lies in it."""
    picture, placement = _RULES[spec.resize](image_bgr, spec)
    tensor = image_ops.to_tensor(picture, spec)
    if spec.resize == "longest_edge_pad":
        # After normalising: no level of a picture is nought in every channel.
        tensor = image_ops.pad_with_zeros(tensor, placement.input_wh)
    return tensor, placement


def check_rule(manifest: Manifest, task: str, rules: Collection[str] = ()) -> None:
    """Raise ModelError where a manifest's resize rule is none of a task's; all that `fit` has where none are given."""
    known = rules or _RULES
    if manifest.input.resize not in known:
        raise ModelError(
            f"{manifest.name}: input.resize: {manifest.input.resize!r} is none that {task} has "
            f"({', '.join(known)}); export the model again"
        )


def shortest_edge_size(size_wh: tuple[int, int], shortest_px: int) -> tuple[int, int]:
    """The width and height at which the shorter side is `shortest_px` and the shape is kept.

    The longer side is cut to a whole pixel, as `transformers.image_transforms.get_resize_output_image_size` does.
    """
    width, height = size_wh
    if width <= height:
        return shortest_px, int(shortest_px * height / width)
    return int(shortest_px * width / height), shortest_px


def shortest_longest_edge_size(
    size_wh: tuple[int, int], shortest_px: int, longest_px: int | None, multiple: int
) -> tuple[int, int]:
    """As `shortest_edge_size`, but with a longer side of at most `longest_px`, and both cut to a multiple.

    The roundings are those of `get_size_with_aspect_ratio` in transformers' DETR and YOLOS image processors.
    """
    shorter, longer = min(size_wh), max(size_wh)
    exact: float = shortest_px
    if longest_px is not None and longer / shorter * shortest_px > longest_px:
        exact = longest_px * shorter / longer
    short, long = round(exact), int(exact * longer / shorter)
    if shorter == short:
        # Transformers leaves such a picture as it is, even where the longer side is one pixel more than it may.
        long = longer
    short, long = (max(multiple, side - side % multiple) for side in (short, long))
    return (short, long) if size_wh[0] < size_wh[1] else (long, short)


def aspect_multiple_size(size_wh: tuple[int, int], within_hw: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The width and height of which one is that of `within_hw`, as near to the picture's as can be, both rounded.

    As `get_resize_output_image_size` of transformers' DPT image processor with `keep_aspect_ratio`.
    """
    width, height = size_wh
    scale_height, scale_width = within_hw[0] / height, within_hw[1] / width
    scale = scale_width if abs(1 - scale_width) < abs(1 - scale_height) else scale_height
    new_width, new_height = (max(1, round(scale * side / multiple)) * multiple for side in size_wh)
    return new_width, new_height


def longest_edge_size(size_wh: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """The width and height at which the longer side is `longest_px`, both rounded, half a pixel up.

    As `_get_preprocess_shape` of transformers' SAM image processor; a side has at least one pixel.
    """
    scale = longest_px * 1.0 / max(size_wh)
    width, height = (max(1, int(side * scale + 0.5)) for side in size_wh)
    return width, height


def cut_to_multiple_size(size_wh: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The picture's own width and height, each cut to a multiple, but at least one.

    As transformers' GLPN image processor, which fails on what is smaller than one.
    """
    width, height = (max(multiple, side // multiple * multiple) for side in size_wh)
    return width, height


def _frame_wh(image: Uint8Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _stretched(image: Uint8Image, spec: InputSpec, size_wh: tuple[int, int]) -> tuple[Uint8Image, Placement]:
    resized = image_ops.resize(image, size_wh, resample=spec.resample, antialias=spec.antialias)
    return resized, Placement(_frame_wh(image), size_wh, size_wh)


def _stretch(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    return _stretched(image, spec, spec.fixed_size_wh)


def _shortest_longest_edge(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    shortest = spec.resize_shortest_edge or 0
    size = shortest_longest_edge_size(_frame_wh(image), shortest, spec.resize_longest_edge, spec.size_multiple)
    return _stretched(image, spec, size)


def _aspect_multiple(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    within = spec.resize_within or (0, 0)
    return _stretched(image, spec, aspect_multiple_size(_frame_wh(image), within, spec.size_multiple))


def _cut_to_multiple(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    return _stretched(image, spec, cut_to_multiple_size(_frame_wh(image), spec.size_multiple))


def _shortest_edge_center_crop(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    shortest = spec.resize_shortest_edge or min(spec.fixed_size_wh)
    return _center_cropped(image, spec, shortest_edge_size(_frame_wh(image), shortest))


def _stretch_center_crop(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    height, width = spec.resize_within or spec.fixed_size_wh[::-1]
    return _center_cropped(image, spec, (width, height))


def _center_cropped(image: Uint8Image, spec: InputSpec, resized_wh: tuple[int, int]) -> tuple[Uint8Image, Placement]:
    size_wh = spec.fixed_size_wh
    resized = image_ops.resize(image, resized_wh, resample=spec.resample, antialias=spec.antialias)
    margins = [image_ops.crop_margins(side, cropped) for side, cropped in zip(resized_wh, size_wh, strict=True)]
    offset_x, offset_y = (padding - cut for padding, cut in margins)
    return image_ops.center_crop(resized, size_wh), Placement(
        _frame_wh(image), size_wh, resized_wh, (offset_x, offset_y)
    )


def _letterbox_center(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    # As `ultralytics.data.augment.LetterBox`: sides rounded, the odd pixel of the margins at the right and the bottom.
    (width, height), (input_width, input_height) = _frame_wh(image), spec.fixed_size_wh
    ratio = min(input_height / height, input_width / width)
    resized_wh = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    left, top = (round((wanted - got) / 2 - 0.1) for wanted, got in zip(spec.fixed_size_wh, resized_wh, strict=True))
    return _letterboxed(image, spec, resized_wh, (left, top))


def _letterbox_top_left(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    # As `yolox.data.data_augment.preproc`: sides cut to whole pixels, margins at the right and the bottom only.
    (width, height), (input_width, input_height) = _frame_wh(image), spec.fixed_size_wh
    ratio = min(input_height / height, input_width / width)
    return _letterboxed(image, spec, (max(1, int(width * ratio)), max(1, int(height * ratio))), (0, 0))


def _longest_edge_pad(image: Uint8Image, spec: InputSpec) -> tuple[Uint8Image, Placement]:
    resized_wh = longest_edge_size(_frame_wh(image), spec.resize_longest_edge or max(spec.fixed_size_wh))
    resized = image_ops.resize(image, resized_wh, resample=spec.resample, antialias=spec.antialias)
    return resized, Placement(_frame_wh(image), spec.fixed_size_wh, resized_wh)


def _letterboxed(
    image: Uint8Image, spec: InputSpec, resized_wh: tuple[int, int], left_top: tuple[int, int]
) -> tuple[Uint8Image, Placement]:
    resized = image_ops.resize(image, resized_wh, resample=spec.resample, antialias=spec.antialias)
    placement = Placement(_frame_wh(image), spec.fixed_size_wh, resized_wh, left_top)
    return image_ops.place_on_grey(resized, left_top, spec.fixed_size_wh, spec.pad_value), placement


_RULES: dict[str, Callable[[Uint8Image, InputSpec], tuple[Uint8Image, Placement]]] = {
    "stretch": _stretch,
    "shortest_edge_center_crop": _shortest_edge_center_crop,
    "stretch_center_crop": _stretch_center_crop,
    "shortest_longest_edge": _shortest_longest_edge,
    "aspect_multiple": _aspect_multiple,
    "cut_to_multiple": _cut_to_multiple,
    "letterbox_center": _letterbox_center,
    "letterbox_top_left": _letterbox_top_left,
    "longest_edge_pad": _longest_edge_pad,
}
