"""Class names of model and data, brought together."""

from __future__ import annotations

import pytest

from models.evaluation.class_matching import match_classes
from models.evaluation.errors import DataError


def test_by_name_whatever_the_ids() -> None:
    matching = match_classes(("N/A", "Traffic_Light", "dog"), {10: "dog", 3: "traffic light", 44: "sea-lion"})
    assert matching.data_ids == {1: 3, 2: 10}
    assert matching.names == {10: "dog", 3: "traffic light"}
    assert (matching.only_in_data, matching.only_in_model) == (["sea-lion"], ["N/A"])
    notes = " ".join(matching.notes())
    assert "sea-lion" in notes
    assert "N/A" in notes


def test_all_matched_says_nothing() -> None:
    assert match_classes(("a", "b"), {0: "b", 1: "a"}).notes() == []


def test_nothing_in_common_is_an_error_that_shows_both_sides() -> None:
    with pytest.raises(DataError, match=r"c0, .*c7 and 2 more.*wolf"):
        match_classes(("wolf",), {number: f"c{number}" for number in range(10)})
