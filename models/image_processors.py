"""What the image processors of transformers do to a picture, as an `InputSpec`: one rule a family of processors.

`models.transformers_package` asks, before the first frame. Nothing of transformers is imported: a rule reads the
`preprocessor_config.json` that the processor saved, the old layouts of the hub included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from models.manifest import InputSpec
from models.onnx_session import OnnxSession

# The numbers of PIL.Image.Resampling, as preprocessor_config.json stores them.
_RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "area"}
_BICUBIC_BY_DEFAULT = ("DPT", "CLIP", "Siglip")
_UNNORMALISED_BY_DEFAULT = ("RTDetr", "MobileViT", "GLPN")
_CONVNEXT_STRETCHES_FROM_PX = 384
_YOLOS_MULTIPLE = 16
_GLPN_MULTIPLE = 32
_DETR_LONGEST_EDGE = 1333

Fields = dict[str, Any]


def input_spec(session: OnnxSession, preprocessor: Mapping[str, Any]) -> InputSpec:
    """How pictures become the input of a graph that a processor's output goes into.

    Args:
        session: the graph.
        preprocessor: what the processor saved.

    Raises:
        ValueError, KeyError, TypeError: the two do not fit, or the processor does what no resize rule does.
    """
    nodes = {node.name: node for node in session.inputs}
    node = nodes["pixel_values"]
    family = _family(preprocessor)
    if not preprocessor.get("do_resize", True):
        raise ValueError("do_resize: false is not supported; a frame has any size")
    normalises = preprocessor.get("do_normalize", family not in _UNNORMALISED_BY_DEFAULT)
    fields: Fields = {
        "name": node.name,
        "resample": _RESAMPLE[preprocessor.get("resample", 3 if family in _BICUBIC_BY_DEFAULT else 2)],
        "scale": preprocessor.get("rescale_factor", 1 / 255) if preprocessor.get("do_rescale", True) else 1.0,
        "mean": tuple(preprocessor["image_mean"]) if normalises else (0.0, 0.0, 0.0),
        "std": tuple(preprocessor["image_std"]) if normalises else (1.0, 1.0, 1.0),
        "dynamic_batch": node.shape[0] is None,
        "pixel_mask": "pixel_mask" if "pixel_mask" in nodes else None,
        **_GEOMETRY.get(family, _any_geometry)(preprocessor),
    }
    for side, axis in (("height", 2), ("width", 3)):
        if node.shape[axis] not in (None, fields[side]):
            raise ValueError(
                f"the model takes {side} {node.shape[axis]}, the preprocessor makes {fields[side] or 'any'}"
            )
    return InputSpec(**fields)


def _family(preprocessor: Mapping[str, Any]) -> str:
    """`Detr` of `DetrImageProcessor`, `DetrImageProcessorFast` and the old `DetrFeatureExtractor`."""
    name = preprocessor.get("image_processor_type") or preprocessor.get("feature_extractor_type") or ""
    return re.sub(r"(ImageProcessor|FeatureExtractor)(Fast)?$", "", name)


def _any_geometry(preprocessor: Mapping[str, Any]) -> Fields:
    size = _as_size(preprocessor.get("size", {}))
    if "shortest_edge" not in size:
        whole = (size["height"], size["width"])
        if preprocessor.get("do_center_crop") and "crop_size" in preprocessor:
            return {"resize": "stretch_center_crop", "resize_within": whole, **_as_size(preprocessor["crop_size"])}
        return {"resize": "stretch", "height": whole[0], "width": whole[1]}
    crop = _as_size(preprocessor["crop_size"]) if preprocessor.get("do_center_crop") else {}
    return {
        "resize": "shortest_edge_center_crop",
        "resize_shortest_edge": size["shortest_edge"],
        **{side: crop.get(side, size["shortest_edge"]) for side in ("height", "width")},
    }


def _convnext(preprocessor: Mapping[str, Any]) -> Fields:
    size = _as_size(preprocessor.get("size", {}))
    if "shortest_edge" not in size:
        return _any_geometry(preprocessor)
    side = size["shortest_edge"]
    if side >= _CONVNEXT_STRETCHES_FROM_PX:
        return {"resize": "stretch", "height": side, "width": side}
    shortest = int(side / preprocessor.get("crop_pct", 224 / 256))
    return {"resize": "shortest_edge_center_crop", "resize_shortest_edge": shortest, "height": side, "width": side}


def _detr(preprocessor: Mapping[str, Any]) -> Fields:
    size = preprocessor.get("size", {})
    if preprocessor.get("pad_size") is not None:
        raise ValueError(f"pad_size: {preprocessor['pad_size']} is not supported")
    if isinstance(size, int):
        size = {"shortest_edge": size, "longest_edge": preprocessor.get("max_size", _DETR_LONGEST_EDGE)}
    if "shortest_edge" not in size:
        return _any_geometry(preprocessor)
    return {
        "resize": "shortest_longest_edge",
        "resize_shortest_edge": size["shortest_edge"],
        "resize_longest_edge": size.get("longest_edge"),
        "height": None,
        "width": None,
    }


def _yolos(preprocessor: Mapping[str, Any]) -> Fields:
    fields = _detr(preprocessor)
    return fields | ({"size_multiple": _YOLOS_MULTIPLE} if fields["resize"] == "shortest_longest_edge" else {})


def _maskformer(preprocessor: Mapping[str, Any]) -> Fields:
    if "shortest_edge" in _as_size(preprocessor.get("size", {})):
        raise ValueError("size: a MaskFormer that takes any size is not supported; export it, with one --size")
    return _detr(preprocessor)


def _shortest_edge_crop(preprocessor: Mapping[str, Any]) -> Fields:
    """Where one number is the shorter side, and the middle is cut out unless it is said not to be."""
    size = preprocessor.get("size", {})
    as_dict = {"shortest_edge": size} if isinstance(size, int) else size
    crops = preprocessor.get("do_center_crop", True)
    return _any_geometry({**preprocessor, "size": as_dict, "do_center_crop": crops})


def _mobilevit(preprocessor: Mapping[str, Any]) -> Fields:
    order = "bgr" if preprocessor.get("do_flip_channel_order", True) else "rgb"
    return _shortest_edge_crop(preprocessor) | {"colour_order": order}


def _dpt(preprocessor: Mapping[str, Any]) -> Fields:
    if preprocessor.get("do_pad"):
        raise ValueError("do_pad: true is not supported")
    size = _as_size(preprocessor.get("size", {}))
    multiple = preprocessor.get("ensure_multiple_of") or 1
    within = (size["height"], size["width"])
    if preprocessor.get("keep_aspect_ratio"):
        free = {"height": None, "width": None}
        return {"resize": "aspect_multiple", "resize_within": within, "size_multiple": multiple, **free}
    height, width = (round(side / multiple) * multiple for side in within)
    return {"resize": "stretch", "height": height, "width": width}


def _sam(preprocessor: Mapping[str, Any]) -> Fields:
    if not preprocessor.get("do_pad", True):
        raise ValueError("do_pad: false is not supported; the encoder takes one size")
    longest = preprocessor.get("size", {})
    return {
        "resize": "longest_edge_pad",
        "resize_longest_edge": longest if isinstance(longest, int) else longest["longest_edge"],
        **_as_size(preprocessor["pad_size"]),
    }


def _vitpose(preprocessor: Mapping[str, Any]) -> Fields:
    if not preprocessor.get("do_affine_transform", True):
        raise ValueError("do_affine_transform: false is not supported; people are cut out of frames")
    size = preprocessor.get("size") or {"height": 256, "width": 192}
    # OpenCV's way: the cut is interpolated without a filter that widens.
    return {"resize": "box_crop", "antialias": False, "height": size["height"], "width": size["width"]}


def _glpn(preprocessor: Mapping[str, Any]) -> Fields:
    multiple = preprocessor.get("size_divisor", _GLPN_MULTIPLE)
    return {"resize": "cut_to_multiple", "size_multiple": multiple, "height": None, "width": None}


def _as_size(size: int | dict[str, int]) -> dict[str, int]:
    # Older processors store one number for a square.
    return {"height": size, "width": size} if isinstance(size, int) else size


_GEOMETRY: dict[str, Callable[[Mapping[str, Any]], Fields]] = {
    "CLIP": _shortest_edge_crop,
    "ConvNext": _convnext,
    "DPT": _dpt,
    "Detr": _detr,
    "MaskFormer": _maskformer,
    "GLPN": _glpn,
    "MobileViT": _mobilevit,
    "RTDetr": _detr,
    "Sam": _sam,
    "VitPose": _vitpose,
    "Yolos": _yolos,
}
