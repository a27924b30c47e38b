"""Where the objects of a picture are, to the pixel: detectors whose heads have masks, and heads of query masks."""

from __future__ import annotations

from models.decoders import mask_decoder_kinds
from models.manifest import Manifest
from models.results import ResultFilter
from models.tasks.object_detection import DEFAULT_THRESHOLD, ObjectDetection
from models.tasks.query_masks import QueryMaskSegmentation
from models.tasks.task import Task, TaskKind

_DETECTORS_WITH_MASKS = ("ultralytics_grid", "ultralytics_end_to_end")


def _make(manifest: Manifest, wanted: ResultFilter) -> Task:
    if manifest.decoder in _DETECTORS_WITH_MASKS:
        return ObjectDetection(manifest, wanted)
    return QueryMaskSegmentation(manifest, wanted)


TASK = TaskKind(
    name="instance_segmentation",
    decoders=frozenset({*_DETECTORS_WITH_MASKS, *mask_decoder_kinds()}),
    make=_make,
    default_threshold=DEFAULT_THRESHOLD,
)
