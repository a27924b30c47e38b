"""Pose models and the detectors that find people for them; asked before the first frame (main thread)."""

from __future__ import annotations

from models import Model, TopDown, load_model
from models.chain import LoadedModel
from models.tasks.keypoint_detection import TASK
from stream.config import ModelSettings
from stream.errors import ConfigError

POSES = TASK.name
WHOLE_PICTURE = "none"
"""As a detector: the whole picture is one person."""


def with_detector(model: Model, settings: ModelSettings) -> LoadedModel:
    """A model as its settings want it: a pose model behind its detector, any other as it is.

    Raises:
        ConfigError: a pose model is not told where people are, or another model is given a detector.
        ModelError: the detector cannot be loaded, or is none.
    """
    chosen = settings.detector
    if model.manifest.task != POSES:
        if chosen is not None:
            raise ConfigError(
                f"models: {model.name}: detector: only pose models look at what a detector finds; leave 'detector' out"
            )
        return model
    if chosen is None:
        raise ConfigError(
            f"models: {model.name}: a pose model has to be told where people are; give a detector's package as "
            f"'detector' (--detector), or '{WHOLE_PICTURE}' to take the whole picture for one person"
        )
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
    return TopDown(detector, model)
