"""Classification of whole pictures, where a network answers as it should not; the rest is in `test_package`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelError
from models.manifest import read_manifest
from models.results import Classification, ResultFilter
from models.tasks.image_classification import TASK
from models.tasks.task import Task
from tests.models.conftest import make_package

__all__ = ["make_package"]

NAN, INF = np.nan, np.inf


def task(package: Path, decoder: str) -> Task:
    """The task of a manifest with three classes."""
    papers = read_manifest(package)
    return TASK.make(papers.model_copy(update={"class_names": ("a", "b", "c"), "decoder": decoder}), ResultFilter())


@pytest.mark.parametrize("count", [2, 4])
def test_a_label_file_of_the_wrong_length_is_said(make_package: Callable[..., Path], count: int) -> None:
    package = make_package()
    outputs = {read_manifest(package).outputs[0]: np.zeros((1, count), np.float32)}
    with pytest.raises(ModelError, match=rf"3 class names expect \(1, 3\), got \(1, {count}\); mend class_names"):
        task(package, "softmax").postprocess(outputs, None)


@pytest.mark.parametrize(
    ("decoder", "row", "labels", "scores"),
    [
        # no number has no score, and takes none from the others: e to e is one half
        ("softmax", [NAN, 1, 1], ["b", "c", "a"], [0.5, 0.5, 0]),
        # nothing is more than infinity
        ("softmax", [1, INF, -INF], ["b", "a", "c"], [1, 0, 0]),
        # nobody says anything
        ("softmax", [NAN, NAN, NAN], ["a", "b", "c"], [0, 0, 0]),
        ("softmax", [-INF, -INF, NAN], ["a", "b", "c"], [0.5, 0.5, 0]),
        # scores as they come
        ("probabilities", [0.2, NAN, 0.7], ["c", "a", "b"], [0.7, 0.2, 0]),
    ],
)
def test_what_is_no_number_has_no_score(
    make_package: Callable[..., Path], decoder: str, row: list[float], labels: list[str], scores: list[float]
) -> None:
    package = make_package()
    outputs = {read_manifest(package).outputs[0]: np.array([row], np.float32)}
    found = task(package, decoder).postprocess(outputs, None)
    assert isinstance(found, Classification)
    assert found.labels == labels
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)
