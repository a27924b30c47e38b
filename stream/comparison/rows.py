"""The figures of a comparison: a row a clip or picture and model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.classification import Classification, SketchGuess
from models.detections import Detections
from models.evaluation.agreement import agreement
from models.evaluation.class_matching import ClassMatching, known_objects, with_data_ids
from models.evaluation.matching import MatchCounts, Objects, count_matches
from models.model import Model
from models.results import Result, SegmentationMap
from stream.comparison.material import Material
from stream.comparison.recording import Recording

LEAST_OVERLAP = 0.5
_LABELS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One model on one clip or picture.

    Attributes:
        item: the clip or picture.
        model: its name.
        frames: how many.
        objects: found in all frames together; None for models that do not count any.
        labels: the commonest names: of objects, of best guesses, or of classes by area.
        inference_p50_ms, inference_p95_ms: of the graph alone.
        fps: frames a second from reading to the annotated picture, encoding left out; None for one picture.
        size_mb: of the model's file, in millions of bytes.
        false_positives, false_negatives: against the annotations; None where there are none.
        agreement: with the other models, 0..1, the mean of all frames; None where there are annotations.
    """

    item: str
    model: str
    frames: int
    objects: int | None
    labels: str
    inference_p50_ms: float
    inference_p95_ms: float
    fps: float | None
    size_mb: float
    false_positives: int | None = None
    false_negatives: int | None = None
    agreement: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row for JSON and CSV."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Truth:
    """The annotations.

    Attributes:
        category_names: by category id.
        objects: by the picture's file name.
    """

    category_names: Mapping[int, str]
    objects: Mapping[str, Objects]


class _Tally:
    """What one model said of the frames of one row."""

    def __init__(self, matching: ClassMatching | None) -> None:
        self._matching = matching
        self._inference_ms: list[float] = []
        self._objects: list[int] = []
        self._labels: Counter[str] = Counter()
        self._agreements: list[float] = []
        self._counts: MatchCounts | None = None

    def add(self, result: Result, inference_ms: float, others: Sequence[Result], truth: Objects | None) -> None:
        self._inference_ms.append(inference_ms)
        self._count_labels(result)
        if truth is not None and self._matching is not None and isinstance(result, Detections):
            found = with_data_ids(result, self._matching, 0.0)
            counts = count_matches(found, known_objects(truth, self._matching), LEAST_OVERLAP)
            self._counts = counts if self._counts is None else self._counts + counts
            return
        shares = [agreement(result, other, LEAST_OVERLAP) for other in others]
        known = [share for share in shares if share is not None]
        if known:
            self._agreements.append(sum(known) / len(known))

    def row(self, item: str, model: Model, fps: float | None) -> ComparisonRow:
        p50, p95 = np.percentile(self._inference_ms, (50, 95)).tolist()
        shown = [label for label, count in self._labels.most_common(_LABELS_SHOWN) if count > 0]
        return ComparisonRow(
            item=item,
            model=model.name,
            frames=len(self._inference_ms),
            objects=sum(self._objects) if self._objects else None,
            labels=", ".join(shown),
            inference_p50_ms=round(p50, 3),
            inference_p95_ms=round(p95, 3),
            fps=fps,
            size_mb=round(size_mb(model), 2),
            false_positives=None if self._counts is None else self._counts.wrong,
            false_negatives=None if self._counts is None else self._counts.missed,
            agreement=round(float(np.mean(self._agreements)), 4) if self._agreements else None,
        )

    def _count_labels(self, result: Result) -> None:
        if isinstance(result, Detections):
            self._objects.append(len(result))
            self._labels.update(result.labels)
        elif isinstance(result, Classification):
            self._labels.update(result.labels[:1])
            if isinstance(result, SketchGuess):
                self._objects.append(int(len(result) > 0))
        elif isinstance(result, SegmentationMap):
            self._labels.update({result.class_names[class_id]: round(1e6 * area) for class_id, area in result.shares()})


def comparison_rows(
    material: Material,
    models: Sequence[Model],
    recordings: Sequence[Recording],
    truth: Truth | None,
    matchings: Sequence[ClassMatching | None],
) -> list[ComparisonRow]:
    """The rows of a material: a clip has one a model; pictures have theirs, and then those of all together.

    Args:
        material: what the models were shown.
        models: those compared.
        recordings: what each model said of each frame.
        truth: the annotations; None where there are none.
        matchings: for each model, its classes and those of the annotations; None where they cannot be compared.
    """
    whole = [_Tally(matching) for matching in matchings]
    rows = []
    for index, said in enumerate(zip(*(recording.frames for recording in recordings), strict=True)):
        results = [one.result for one in said]
        name = None if material.pictures is None else material.pictures[index]
        objects = None if truth is None or name is None else truth.objects.get(name)
        own = [_Tally(matching) for matching in matchings]
        for number, result in enumerate(results):
            others = results[:number] + results[number + 1 :]
            for tally in (own[number], whole[number]):
                tally.add(result, said[number].inference_ms, others, objects)
        if name is not None:
            rows += [tally.row(name, model, None) for tally, model in zip(own, models, strict=True)]
    if material.pictures is not None and len(rows) == len(models):
        return rows
    item = material.name if material.pictures is None else f"all of {material.name}"
    parts = zip(whole, models, recordings, strict=True)
    return rows + [tally.row(item, model, recording.fps) for tally, model, recording in parts]


def size_mb(model: Model) -> float:
    """The model's file and the weights beside it (`model.onnx_data`), in millions of bytes."""
    path = model.package.model_path
    beside = [path.with_name(path.name + ending) for ending in ("_data", ".data")]
    return sum(file.stat().st_size for file in (path, *beside) if file.is_file()) / 1e6
