"""How alike two results are, worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exporters.errors import ExportError
from exporters.result_agreement import agreement_of
from models.results import Classification, DepthMap

NAN = float("nan")


def depths(*values: float) -> DepthMap:
    return DepthMap("depth_estimation", np.array([values], np.float32), "inverse")


def texts(*order: int) -> Classification:
    scores = np.linspace(0.9, 0.1, len(order), dtype=np.float32)
    return Classification("zero_shot_image_classification", np.array(order, np.int64), scores, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        # A range of 20: a difference of 1 is a twentieth.
        (depths(-10, 0, 5, 10), depths(-10, 0.99, 6.1, 9.1), 0.75),
        (depths(-10, 10), depths(-10, 10), 1.0),
        # A flat field allows nothing.
        (depths(3, 3), depths(3, 3.01), 0.5),
        # What only one of them knows differs.
        (depths(0, 10, NAN), depths(0, 10, 5), 2 / 3),
        (depths(0, 10, 5, 5), depths(0, 10, 5, NAN), 0.75),
        (depths(NAN, NAN), depths(NAN, NAN), 1.0),
        (depths(NAN, NAN), depths(NAN, 1), 0.0),
        # The best text alone counts.
        (texts(2, 0, 1), texts(2, 1, 0), 1.0),
        (texts(2, 0, 1), texts(0, 2, 1), 0.0),
    ],
)
def test_a_share_of_what_is_alike(wanted: Any, found: Any, expected: float) -> None:
    assert agreement_of(wanted, found) == pytest.approx(expected)


def test_results_of_two_kinds_are_not_compared() -> None:
    with pytest.raises(ExportError, match="results of depth_estimation cannot be compared yet"):
        agreement_of(depths(1), texts(0))
