"""The models of a run: each is loaded once for all streams that load it alike, and kept while one of them uses it.

Filled on the main thread before the first frame, afterwards on the thread of `stream.live_changes`, too.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable

from models import TopDown, load_model
from models.chain import LoadedModel
from models.package import Package, find_package
from models.prompted_model import TASK as PROMPTED
from models.prompted_model import PromptedModel
from models.tasks.object_detection import DEFAULT_THRESHOLD
from stream.config import ModelSettings
from stream.errors import ConfigError
from stream.event_log import log_event
from stream.model_chains import with_detector
from stream.tracking import LEAST_SCORE

_OF_PROMPTED = {"package", "name", "device", "threads", "graph_optimization", "unverified", "alternatives"}
"""What of a model's settings means something to one that says nothing before somebody points."""
_NOT_OF_LOADING = {"every", "skip_unchanged", "count", "alternatives"}


class ModelShelf:
    """Loaded models by how they are loaded; safe from any thread."""

    def __init__(self, guests: int = 0) -> None:
        """Nothing is loaded.

        Args:
            guests: so many further streams may come and go, and use what is kept for others.
        """
        self._guests = guests
        self._lock = threading.Lock()
        self._models: dict[str, LoadedModel] = {}
        self._users: Counter[str] = Counter()

    @property
    def models(self) -> list[LoadedModel]:
        """What is loaded at this moment."""
        with self._lock:
            return list(self._models.values())

    def take(self, settings: ModelSettings) -> LoadedModel:
        """The model, loaded if it is not here.

        Raises:
            MirillaError: it cannot be.
        """
        key = _loading_key(settings)
        with self._lock:
            if key not in self._models:
                self._models[key] = model = _loaded(settings)
                said = {"model": model.name, **about(model)}
                log_event("model_loaded", f"{model.name} runs on {model.provider}", said)
            return self._models[key]

    def keep(self, used: Iterable[Iterable[ModelSettings]]) -> None:
        """Make models ready for so many streams as use them, and let go of all others.

        Args:
            used: the models of each stream.

        Raises:
            ModelError: a graph failed on a trial.
        """
        users = Counter(key for models in used for key in {_loading_key(model) for model in models})
        with self._lock:
            for key, count in users.items():
                if count + self._guests > 1 and count > self._users[key]:
                    self._models[key].share(count + self._guests)
            self._models = {key: model for key, model in self._models.items() if key in users}
            self._users = users


def about(model: LoadedModel) -> dict[str, str]:
    """What a report says of a model."""
    said = {"provider": model.provider, "package": model.package.origin}
    if isinstance(model, TopDown):
        said["detector"] = model.detector.package.origin
    if model.why_not_cuda is not None:
        said["why_not_cuda"] = model.why_not_cuda
    return said


def threshold_of(settings: ModelSettings) -> float:
    """Of the boxes that are followed: a pose model's are its detector's."""
    threshold = settings.threshold if settings.detector is None else settings.detector.threshold
    return DEFAULT_THRESHOLD if threshold is None else threshold


def _loading_key(settings: ModelSettings) -> str:
    return settings.model_dump_json(exclude=_NOT_OF_LOADING)


def _loaded(settings: ModelSettings) -> LoadedModel:
    package = find_package(settings.package, unverified=settings.unverified)
    if package.manifest.task == PROMPTED:
        return _prompted(package, settings)
    # A tracker is shown the unsure boxes, too, and decides itself; poses of those would cost more than they tell.
    is_shown_more = settings.track and settings.detector is None
    threshold = min(LEAST_SCORE, threshold_of(settings)) if is_shown_more else settings.threshold
    model = load_model(
        package,
        name=settings.name,
        device=settings.device,
        threads=settings.threads,
        graph_optimization=settings.graph_optimization,
        threshold=threshold,
        classes=settings.classes,
        top=settings.top,
        max_detections=settings.max_detections,
        texts=settings.texts,
    )
    return with_detector(model, settings)


def _prompted(package: Package, settings: ModelSettings) -> PromptedModel:
    """A model that says nothing before somebody points at something, and then of that alone."""
    for key, field in ModelSettings.model_fields.items():
        if key not in _OF_PROMPTED and getattr(settings, key) != field.default:
            raise ConfigError(f"models: {package.manifest.name}: {key}: it finds what is pointed at; leave {key!r} out")
    # While the encoder works, a core is left for the picture.
    threads = settings.threads or package.manifest.threads or max(1, (os.cpu_count() or 1) - 1)
    return PromptedModel(
        package,
        name=settings.name,
        device=settings.device,
        threads=threads,
        graph_optimization=settings.graph_optimization,
    )
