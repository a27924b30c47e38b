"""Models in a row: a detector finds people, and a pose model is shown all of them in one batch.

Called as a `models.model.Model` is, on the infer thread; nothing is kept between pictures.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.model import Model, StageTimer, untimed
from models.package import Package
from models.prompted_model import PromptedModel
from models.results import Detections, Poses, ResultFilter
from models.tasks.keypoint_detection import PERSON, KeypointDetection

_DETECTOR_TASKS = ("object_detection", "instance_segmentation")
_MOST_AT_ONCE = 64
"""People in a batch: a larger crowd would take memory by the gigabyte."""


class TopDown:
    """A detector and a pose model; `TopDown(detector, pose)(image)` gives `Poses`.

    Of the detector's objects, those called `person` are looked at, where it knows such; otherwise all that it is loaded
    to report. To the frame loop and to reports it is the pose model.
    """

    def __init__(self, detector: Model, pose: Model) -> None:
        """Put two loaded models in a row.

        Raises:
            ModelError: the one is no detector, or the other no pose model.
        """
        if detector.manifest.task not in _DETECTOR_TASKS:
            raise ModelError(
                f"detector: {detector.package.origin} is for {detector.manifest.task}; give one for "
                f"{' or '.join(_DETECTOR_TASKS)}"
            )
        if not isinstance(pose.task, KeypointDetection):
            raise ModelError(
                f"model: {pose.package.origin} is for {pose.manifest.task}; only pose models (keypoint_detection) "
                "look at what a detector finds"
            )
        self.detector = detector
        self._pose = pose
        self._task = pose.task
        # Who named classes when loading the detector wants those.
        self._only_people = detector.filter.classes is None and PERSON in detector.manifest.class_names

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._pose.name

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs the pose model."""
        return self._pose.provider

    @property
    def why_not_cuda(self) -> str | None:
        """What kept CUDA from being taken for either; None where it was taken, or not asked for."""
        return self._pose.why_not_cuda or self.detector.why_not_cuda

    @property
    def takes_any_size(self) -> bool:
        """Whether the detector does; the pose model is shown cuts of its own size."""
        return self.detector.takes_any_size

    def warm_up(self, width: int, height: int) -> None:
        """Run the detector once on a black picture of a size in pixels.

        Raises:
            ModelError: the graph failed while it ran.
        """
        self.detector.warm_up(width, height)

    def share(self, streams: int) -> None:
        """Make both ready for so many threads that call them at the same time; see `Model.share`."""
        self.detector.share(streams)
        self._pose.share(streams)

    @property
    def manifest(self) -> Manifest:
        """The pose model's."""
        return self._pose.manifest

    @property
    def package(self) -> Package:
        """The pose model's."""
        return self._pose.package

    @property
    def object_labels(self) -> tuple[str, ...]:
        """What the detector calls those that are looked at."""
        names, wanted = self.detector.manifest.class_names, self.detector.filter.classes
        if self._only_people:
            return (PERSON,)
        return names if wanted is None else tuple(name for name in names if name in wanted)

    @property
    def filter(self) -> ResultFilter:
        """What of the poses is wanted."""
        return self._pose.filter

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

    def _objects(self, image: NDArray[np.uint8], timer: StageTimer) -> Detections:
        found = self.detector(image, timer)
        # Its task is one whose results are detections.
        assert isinstance(found, Detections)
        if self._only_people:
            found = found[np.array([label == PERSON for label in found.labels], np.bool_)]
        return replace(found, masks=None)

    def _heatmaps(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The heatmaps (N, K, h, w) of cuts (N, C, H, W), in as few runs of the graph as can be."""
        manifest = self.manifest
        if not len(tensor):
            return np.zeros((0, len(manifest.class_names), 1, 1), np.float32)
        most = _MOST_AT_ONCE if manifest.input.dynamic_batch else 1
        runs = [self._pose.infer(tensor[start : start + most]) for start in range(0, len(tensor), most)]
        return np.concatenate([outputs[manifest.outputs[0]] for outputs in runs])


LoadedModel = Model | TopDown | PromptedModel
"""What the frame loop runs: one model, or two in a row."""
