"""How far away every pixel of a picture is: DPT, Depth Anything, GLPN.

Decoder `metric_depth` for networks that answer in metres; `inverse_depth` for those whose greater values are nearer,
and mean nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.depth_map import DepthKind, DepthMap
from models.errors import ModelError
from models.manifest import Manifest
from models.placement import Placement, check_rule, fit
from models.tasks.task import TaskKind

_RESIZE_RULES = ("stretch", "aspect_multiple", "cut_to_multiple")
_KINDS: Mapping[str, DepthKind] = {"metric_depth": "metric", "inverse_depth": "inverse"}


class DepthEstimation:
    """Fit the picture in, and enlarge the depths to it."""

    def __init__(self, manifest: Manifest) -> None:
        """Raise ModelError where the manifest's resize rule is none of this task's."""
        check_rule(manifest, manifest.task, _RESIZE_RULES)
        self._manifest = manifest

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Placement]:
        """The tensor float32 (1, 3, H, W), and where the picture lies in it."""
        return fit(image, self._manifest.input)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: Placement) -> DepthMap:
        """The map at the picture's size.

        Bicubic, as `post_process_depth_estimation` of transformers' image processors enlarges it: OpenCV's filter and
        PyTorch's are the same, with a = -0.75.

        Raises:
            ModelError: the output is no one plane.
        """
        manifest = self._manifest
        name = manifest.outputs[0]
        planes = outputs[name]
        if planes.ndim < 2 or not planes.size or planes.size != planes.shape[-2] * planes.shape[-1]:
            raise ModelError(f"{manifest.name}: {name}: expected (1, H, W), got {planes.shape}; export the model again")
        plane = planes.reshape(planes.shape[-2:]).astype(np.float32)
        plane[~np.isfinite(plane)] = np.nan
        values = np.asarray(cv2.resize(plane, geometry.frame_wh, interpolation=cv2.INTER_CUBIC), np.float32)
        return DepthMap(manifest.task, values, _KINDS[manifest.decoder])


TASK = TaskKind(
    name="depth_estimation",
    decoders=frozenset(_KINDS),
    make=lambda manifest, _wanted: DepthEstimation(manifest),
)
