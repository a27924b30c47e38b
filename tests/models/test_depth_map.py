"""A depth map says what it holds in a few figures, and what of it is worth showing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.results import DepthMap, ResultFilter


def depths(values: Any, kind: Any = "metric", **fields: Any) -> DepthMap:
    return DepthMap("depth_estimation", np.array(values, np.float32), kind, **fields)


@pytest.mark.parametrize(
    ("values", "kind", "figures"),
    [
        ([[1.5, 2.0, 9.25]], "metric", {"kind": "metric", "unit": "m", "min": 1.5, "median": 2.0, "max": 9.25}),
        # Between the middle two; without a unit.
        ([[4.0], [1.0], [2.0], [3.0]], "inverse", {"kind": "inverse", "unit": None, "min": 1, "median": 2.5, "max": 4}),
        # What is not known is not counted.
        ([[np.nan, 7.0, np.nan]], "metric", {"kind": "metric", "unit": "m", "min": 7, "median": 7, "max": 7}),
        ([[np.nan]], "metric", {"kind": "metric", "unit": "m", "min": None, "median": None, "max": None}),
        (np.empty((0, 3)), "metric", {"kind": "metric", "unit": "m", "min": None, "median": None, "max": None}),
    ],
)
def test_a_map_in_figures(values: Any, kind: str, figures: dict[str, Any]) -> None:
    assert depths(values, kind).to_dict() == {"task": "depth_estimation", "predicted_depth": figures}


def test_of_a_large_map_the_extremes_are_exact_and_the_median_is_near() -> None:
    values = np.random.default_rng(1).gamma(2, 3, (720, 1280))
    values[111, 222], values[333, 444] = -50, 90
    figures = depths(values).to_dict()["predicted_depth"]
    assert (figures["min"], figures["max"]) == (-50, 90)
    assert figures["median"] == pytest.approx(np.median(values), rel=0.02)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(101)[None], (2, 98)),
        (np.full((3, 3), 4.0), (4, 4.000004)),  # flat: a range all the same
        ([[np.nan, 1.0, 2.0]], (1, 2)),
    ],
)
def test_what_is_shown_leaves_the_outermost_out(values: Any, expected: tuple[float, float]) -> None:
    assert depths(values).own_range() == pytest.approx(expected)


def test_nothing_known_has_no_range() -> None:
    assert depths([[np.nan, np.inf]]).own_range() is None


@pytest.mark.parametrize(
    ("values", "kind", "fields", "message"),
    [
        (np.zeros((1, 2, 3)), "metric", {}, r"values: expected float32 \('any', 'any'\), got shape \(1, 2, 3\)"),
        (np.zeros((2, 3)), "meters", {}, "kind: expected one of metric, inverse, got 'meters'"),
        (np.zeros((2, 3)), "metric", {"shown_range": (2.0, 2.0)}, "shown_range: expected a lower and a higher"),
        (np.zeros((2, 3)), "metric", {"shown_range": (0.0, np.nan)}, "shown_range"),
        (np.zeros((2, 3)), "metric", {"shown_range": (0.0, np.inf)}, "shown_range"),
    ],
)
def test_what_does_not_hold_is_not_built(values: Any, kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        depths(values, kind, **fields)


def test_a_map_cannot_be_changed_and_has_no_classes_to_filter() -> None:
    result = depths([[1.0, 2.0]])
    with pytest.raises(ValueError, match="read-only"):
        result.values[0, 0] = 3
    assert result.filtered(ResultFilter(0.9, frozenset({"person"}))) is result
