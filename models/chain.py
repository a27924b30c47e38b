"""Models in a row: a detector finds something, and another model is shown all of it in one batch.

Called as a `models.model.Model` is, on the infer thread; nothing is kept between pictures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.model import Model, StageTimer, untimed
from models.package import Package
from models.prompted_model import PromptedModel
from models.results import Detections, Poses, Result, ResultFilter
from models.tasks.keypoint_detection import PERSON, KeypointDetection

_DETECTOR_TASKS = ("object_detection", "instance_segmentation")
_MOST_AT_ONCE = 64
"""In a batch: a larger crowd would take memory by the gigabyte."""


class DetectorFirst(ABC):
    """A detector, and a model that is shown what it finds; what every chain says of itself is said here.

    Attributes:
        detector: finds what the other one is shown.
    """

    def __init__(self, detector: Model, last: Model, looked_at: str) -> None:
        """Put two loaded models in a row.

        Args:
            detector: of objects with boxes.
            last: gives the chain its name.
            looked_at: the class of the detector that is looked at, where it knows such and no other was asked for.

        Raises:
            ModelError: the first is no detector.
        """
        if detector.manifest.task not in _DETECTOR_TASKS:
            raise ModelError(
                f"detector: {detector.package.origin} is for {detector.manifest.task}; give one for "
                f"{' or '.join(_DETECTOR_TASKS)}"
            )
        self.detector = detector
        self._last = last
        # Who named classes when loading the detector wants those.
        is_known = detector.filter.classes is None and looked_at in detector.manifest.class_names
        self._only = looked_at if is_known else None

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._last.name

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs the last model."""
        return self._last.provider

    @property
    def why_not_cuda(self) -> str | None:
        """What kept CUDA from being taken for either; None where it was taken, or not asked for."""
        return self._last.why_not_cuda or self.detector.why_not_cuda

    @property
    def takes_any_size(self) -> bool:
        """Whether the detector does; the others are shown cuts of their own size."""
        return self.detector.takes_any_size

    def warm_up(self, width: int, height: int) -> None:
        """Run the detector once on a black picture of a size in pixels.

        Raises:
            ModelError: the graph failed while it ran.
        """
        self.detector.warm_up(width, height)

    def share(self, streams: int) -> None:
        """Make all ready for so many threads that call them at the same time; see `Model.share`."""
        self.detector.share(streams)
        self._last.share(streams)

    @property
    def manifest(self) -> Manifest:
        """The last model's."""
        return self._last.manifest

    @property
    def package(self) -> Package:
        """The last model's."""
        return self._last.package

    @property
    def filter(self) -> ResultFilter:
        """What of the results is wanted."""
        return self._last.filter

    @abstractmethod
    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Result:
        """The result for a BGR picture uint8 (H, W, 3); each stage of each model runs within the timer."""

    def _objects(self, image: NDArray[np.uint8], timer: StageTimer) -> Detections:
        found = self.detector(image, timer)
        # Its task is one whose results are detections.
        assert isinstance(found, Detections)
        if self._only is not None:
            found = found[np.array([label == self._only for label in found.labels], np.bool_)]
        return replace(found, masks=None)


class TopDown(DetectorFirst):
    """A detector and a pose model; `TopDown(detector, pose)(image)` gives `Poses`.

    Of the detector's objects, those called `person` are looked at, where it knows such; otherwise all that it is loaded
    to report. To the frame loop and to reports it is the pose model.
    """

    def __init__(self, detector: Model, pose: Model) -> None:
        """Put two loaded models in a row.

        Raises:
            ModelError: the one is no detector, or the other no pose model.
        """
        super().__init__(detector, pose, PERSON)
        if not isinstance(pose.task, KeypointDetection):
            raise ModelError(
                f"model: {pose.package.origin} is for {pose.manifest.task}; only pose models (keypoint_detection) "
                "look at what a detector finds"
            )
        self._pose = pose
        self._task = pose.task

    @property
    def object_labels(self) -> tuple[str, ...]:
        """What the detector calls those that are looked at."""
        names, wanted = self.detector.manifest.class_names, self.detector.filter.classes
        if self._only is not None:
            return (self._only,)
        return names if wanted is None else tuple(name for name in names if name in wanted)

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Poses:
        """The poses of the people in a BGR picture uint8 (H, W, 3).

        Args:
            image: any size.
            timer: entered around each stage, of both models.

        Raises:
            ModelError: a graph failed while it ran.
        """
        objects = self._objects(image, timer)
        with timer("preprocess"):
            tensor, crops = self._task.cut(image, objects.boxes_xyxy)
        with timer("inference"):
            heatmaps = self._heatmaps(tensor)
        with timer("postprocess"):
            return self._task.poses(heatmaps, crops, objects).filtered(self.filter)

    def _heatmaps(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The heatmaps (N, K, h, w) of cuts (N, C, H, W), in as few runs of the graph as can be."""
        manifest = self.manifest
        if not len(tensor):
            return np.zeros((0, len(manifest.class_names), 1, 1), np.float32)
        return infer_all(self._pose, tensor)


def infer_all(model: Model, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first output for inputs float32 (N, C, H, W), N at least 1, in as few runs of the graph as can be.

    Raises:
        ModelError: the graph failed while it ran.
    """
    most = _MOST_AT_ONCE if model.manifest.input.dynamic_batch else 1
    runs = [model.infer(tensor[start : start + most]) for start in range(0, len(tensor), most)]
    return np.concatenate([outputs[model.manifest.outputs[0]] for outputs in runs])


LoadedModel = Model | DetectorFirst | PromptedModel
"""What the frame loop runs: one model, or two in a row."""
