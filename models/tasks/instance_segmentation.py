"""Where the objects of a picture are, to the pixel: object detection with the decoders whose heads have masks."""

from __future__ import annotations

from models.tasks.object_detection import DEFAULT_THRESHOLD, ObjectDetection
from models.tasks.task import TaskKind

TASK = TaskKind(
    name="instance_segmentation",
    decoders=frozenset({"ultralytics_grid", "ultralytics_end_to_end"}),
    make=ObjectDetection,
    default_threshold=DEFAULT_THRESHOLD,
)
