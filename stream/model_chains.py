"""Models that look at what a detector finds: poses of people, names of drawings; asked before the first frame."""

from __future__ import annotations

from models import DrawingChain, Model, TopDown, load_model
from models.chain import LoadedModel
from models.tasks.keypoint_detection import TASK
from models.tasks.sketch_classification import TASK as SKETCH_TASK
from stream.config import ModelSettings
from stream.errors import ConfigError

POSES = TASK.name
WHOLE_PICTURE = "none"
"""As a detector: the whole picture is one person, or holds one drawing."""
DEFAULT_INK = "drawing-segmenter"


def with_detector(model: Model, settings: ModelSettings) -> LoadedModel:
    """A model as its settings want it: a pose or sketch model behind its detector, any other as it is.

    Raises:
        ConfigError: a pose model is not told where people are, or another model is given what only these take.
        ModelError: the detector or the ink segmenter cannot be loaded, or is none.
    """
    chosen, task = settings.detector, model.manifest.task
    if settings.ink is not None and (task != SKETCH_TASK.name or chosen is None or chosen.package == WHOLE_PICTURE):
        raise ConfigError(
            f"models: {model.name}: ink: only sketch models behind a detector are shown ink; leave 'ink' out"
        )
    if task not in (POSES, SKETCH_TASK.name):
        if chosen is not None:
            raise ConfigError(
                f"models: {model.name}: detector: only pose and sketch models look at what a detector finds; "
                "leave 'detector' out"
            )
        return model
    if chosen is None:
        if task == POSES:
            raise ConfigError(
                f"models: {model.name}: a pose model has to be told where people are; give a detector's package as "
                f"'detector' (--detector), or '{WHOLE_PICTURE}' to take the whole picture for one person"
            )
        return model
    if chosen.package == WHOLE_PICTURE:
        return model
    detector = load_model(
        chosen.package,
        device=settings.device,
        threshold=chosen.threshold,
        classes=chosen.classes,
        max_detections=chosen.max_detections,
        unverified=settings.unverified,
    )
    if task == POSES:
        return TopDown(detector, model)
    ink = load_model(settings.ink or DEFAULT_INK, device=settings.device, unverified=settings.unverified)
    return DrawingChain(detector, ink, model)
