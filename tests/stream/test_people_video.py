"""Six people, one after another, come in at the lower border, stop at a table and leave to the right.

What is expected was counted by eye on every tenth frame: they come in at about 6, 23, 50, 74, 92 and 123 seconds, and
leave at 19, 44, 69, 86, 119 and 135.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.results import Detections
from stream.config import check_settings
from stream.run_view import QuietView
from stream.sources import open_source
from stream.stream_run import run_settings
from tests.benchmarks.carrying import PEOPLE, SECONDS_IN, SECONDS_OUT, fits, mean_ious
from tests.models.test_real_detectors import Truth, coco_truth, yolox_package

__all__ = ["coco_truth"]


@pytest.fixture(scope="module")
def watched(
    test_data: Path, coco_truth: tuple[tuple[str, ...], Truth], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report's counts, and the lines of the results file, of YOLOX-nano with tracking over the whole clip."""
    folder = tmp_path_factory.mktemp("people")
    package = yolox_package(folder / "yolox", test_data / "weights" / "yolox_nano.onnx", coco_truth[0])
    count = {
        "lines": {"in": [[0.72, 0.56], [0, 0.56]], "out": [[0.72, 1], [0.72, 0]]},
        "zones": {"table": [[0.4, 0], [0.72, 0], [0.72, 0.56], [0.4, 0.56]]},
    }
    model = {"package": str(package), "name": "yolox", "device": "cpu", "classes": ["person"], "track": True}
    stream = {
        "source": str(test_data / PEOPLE),
        "models": [{**model, "count": count}],
        "sinks": [str(folder / "people.jsonl")],
    }
    (outcome,) = run_settings(check_settings({"streams": {"people": stream}}, "test"), QuietView())
    lines = (folder / "people.jsonl").read_text().splitlines()
    return outcome.report["counts"]["yolox"], [json.loads(line) for line in lines]


def test_people_are_counted_as_the_eye_counts_them(watched: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    counts, _ = watched
    assert counts["unique"]["person"] == pytest.approx(6, abs=1)
    assert counts["lines"]["in"]["in"] == pytest.approx(6, abs=1)
    assert counts["lines"]["out"]["in"] == pytest.approx(6, abs=1)
    # Nobody goes back; and nobody is left at the end.
    assert counts["lines"]["in"]["out"] <= 1
    assert counts["lines"]["out"]["out"] == 0
    assert (counts["present"], counts["zones"]) == ({}, {"table": 0})


@pytest.mark.parametrize(("line", "seconds"), [("in", SECONDS_IN), ("out", SECONDS_OUT)])
def test_each_is_counted_when_it_comes_and_goes(
    watched: tuple[dict[str, Any], list[dict[str, Any]]], line: str, seconds: tuple[int, ...]
) -> None:
    moments = [
        after["pts_seconds"]
        for before, after in pairwise(watched[1])
        if after["counts"]["yolox"]["lines"][line]["in"] > before["counts"]["yolox"]["lines"][line]["in"]
    ]
    met = [moment for moment in moments if min(abs(moment - expected) for expected in seconds) < 3]
    assert len(met) >= 5
    assert len(moments) - len(met) <= 1


def test_who_stands_at_the_table_keeps_one_id(watched: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    seen: list[Counter[int]] = []
    for came, went in zip(SECONDS_IN, SECONDS_OUT, strict=True):
        inside = [line for line in watched[1] if came + 2 < line["pts_seconds"] < went - 2]
        found = [one for line in inside for one in line["results"]["yolox"]["detections"]]
        seen.append(Counter(one["track_id"] for one in found))
        # It is seen in nearly every frame, and alone.
        assert 0.95 < len(found) / len(inside) < 1.05
    assert [len(ids) for ids in seen] == [1] * 6
    assert len(set().union(*seen)) == 6


def test_carried_boxes_fit_better_than_boxes_left_where_they_were(
    watched: tuple[dict[str, Any], list[dict[str, Any]]], test_data: Path
) -> None:
    """The model sees every fifth frame, and its answer comes five frames late."""
    found = [detections_of(line) for line in watched[1]]
    fitted = list(fits(open_source(test_data / PEOPLE), found, late=True))
    left, carried = mean_ious([fit for fit in fitted if fit.is_walking])
    assert carried - left >= 0.1
    # Where people stand, boxes lie well where they are; carrying must not spoil that.
    left, carried = mean_ious([fit for fit in fitted if not fit.is_walking])
    assert carried - left >= -0.005


def detections_of(line: dict[str, Any]) -> Detections:
    """What a line of a results file says."""
    found = line["results"]["yolox"]["detections"]
    boxes = [list(one["box"].values()) for one in found]
    return Detections(
        "object_detection",
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([one["score"] for one in found], np.float32),
        np.zeros(len(found), np.int64),
        ("person",),
    )
