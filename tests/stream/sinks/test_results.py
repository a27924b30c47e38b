"""What the models said, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from models.results import Classification, Result, ResultFilter, SketchGuess
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.sinks import make_sink
from stream.sinks.results import CSV_COLUMNS, csv_rows
from tests.stream.sinks.recording import describe, grey

INFO = describe()
NAMES = ("casa", "niña, pequeña", "pez")


@dataclass(frozen=True)
class Said:
    """A result of any kind, by its line."""

    line: dict[str, Any]
    task: str = "any"

    def filtered(self, wanted: ResultFilter) -> Said:  # noqa: ARG002 - Result
        return self

    def to_dict(self) -> dict[str, Any]:
        return self.line


def classified(*scores: float) -> Classification:
    ids = np.arange(len(scores), dtype=np.int64)
    return Classification("image_classification", ids, np.array(scores, np.float32), NAMES)


def run(path: Path, *frames: dict[str, Result]) -> Path:
    sink = make_sink(str(path))
    sink.open(INFO)
    image = grey(INFO, 0)
    for index, results in enumerate(frames):
        sink.write(image, FrameResult(Frame(image, index * 33, Fraction(1, 1000), index, 0), results))
    sink.close()
    assert sink.paths() == [str(path)]
    return path


def test_jsonl_has_one_line_a_frame_in_the_words_of_transformers(tmp_path: Path) -> None:
    path = run(tmp_path / "out.jsonl", {"notes": classified(0.75, 0.25)}, {}, {"notes": classified()})
    lines = path.read_text(encoding="utf-8").splitlines()
    said = [{"label": "casa", "score": 0.75}, {"label": "niña, pequeña", "score": 0.25}]
    assert [json.loads(line) for line in lines] == [
        {"index": 0, "pts_seconds": 0.0, "results": {"notes": {"task": "image_classification", "labels": said}}},
        {"index": 1, "pts_seconds": 0.033, "results": {}},
        {"index": 2, "pts_seconds": 0.066, "results": {"notes": {"task": "image_classification", "labels": []}}},
    ]
    assert "niña" in lines[0]  # as a person writes it, not \u00f1


def test_csv_has_one_row_a_result_and_at_least_one_a_frame(tmp_path: Path) -> None:
    path = run(tmp_path / "out.csv", {"notes": classified(0.75, 0.25)}, {}, {"notes": classified()})
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        list(CSV_COLUMNS),
        ["0", "0.0", "notes", "image_classification", "casa", "0.75", "", "", "", "", "", ""],
        ["0", "0.0", "notes", "image_classification", "niña, pequeña", "0.25", "", "", "", "", "", ""],
        ["1", "0.033", "", "", "", "", "", "", "", "", "", ""],
        ["2", "0.066", "notes", "image_classification", "", "", "", "", "", "", "", ""],
    ]


def test_a_detection_has_its_box_and_track() -> None:
    box = {"xmin": 1.0, "ymin": 2.0, "xmax": 3.0, "ymax": 4.0}
    found = [{"label": "person", "score": 0.98, "box": box, "track_id": 7}, {"label": "car", "score": 0.5, "box": box}]
    line = {"index": 3, "pts_seconds": 1.5, "results": {"m": {"task": "object_detection", "detections": found}}}
    assert list(csv_rows(line)) == [
        (3, 1.5, "m", "object_detection", "person", 0.98, 1.0, 2.0, 3.0, 4.0, 7, ""),
        (3, 1.5, "m", "object_detection", "car", 0.5, 1.0, 2.0, 3.0, 4.0, "", ""),
    ]


def test_what_was_counted_has_rows_of_its_own_after_the_results() -> None:
    found = {"task": "object_detection", "detections": []}
    counts = {
        "present": {"person": 2, "dog": 1},
        "unique": {"person": 5},
        "lines": {"door, left": {"in": 3, "out": 1}},
        "zones": {"till": 0},
    }
    line = {"index": 4, "pts_seconds": 2.0, "results": {"m": found}, "counts": {"m": counts}}
    rows = list(csv_rows(line))
    assert {len(row) for row in rows} == {len(CSV_COLUMNS)}
    assert rows[0][:4] == (4, 2.0, "m", "object_detection")
    assert [(*row[:5], row[-1]) for row in rows[1:]] == [
        (4, 2.0, "m", "count_present", "person", 2),
        (4, 2.0, "m", "count_present", "dog", 1),
        (4, 2.0, "m", "count_unique", "person", 5),
        (4, 2.0, "m", "count_zone", "till", 0),
        (4, 2.0, "m", "count_in", "door, left", 3),
        (4, 2.0, "m", "count_out", "door, left", 1),
    ]


def test_a_segment_has_its_share_of_the_frame() -> None:
    segments = [{"label": "road", "area": 0.6}, {"label": "sky", "area": 0.4}]
    line = {"index": 0, "pts_seconds": 0.0, "results": {"m": {"task": "image_segmentation", "segments": segments}}}
    assert [row[4:6] for row in csv_rows(line)] == [("road", 0.6), ("sky", 0.4)]


def test_a_depth_map_is_three_figures_or_none() -> None:
    figures = {"kind": "metric", "unit": "m", "min": 0.5, "median": 2.0, "max": 9.0}
    result = {"task": "depth_estimation", "predicted_depth": figures}
    line = {"index": 0, "pts_seconds": 0.0, "results": {"m": result}}
    assert [row[2:7] for row in csv_rows(line)] == [
        ("m", "depth_estimation", "min", 0.5, ""),
        ("m", "depth_estimation", "median", 2.0, ""),
        ("m", "depth_estimation", "max", 9.0, ""),
    ]
    result["predicted_depth"] = figures | dict.fromkeys(("min", "median", "max"))
    assert [row[2:6] for row in csv_rows(line)] == [("m", "depth_estimation", "", "")]


def test_the_place_of_a_drawing_stands_beside_each_guess(tmp_path: Path) -> None:
    guess = SketchGuess(
        "sketch_classification",
        np.array([2], np.int64),
        np.array([0.5], np.float32),
        NAMES,
        region_xyxy=np.array([1, 2, 30, 40], np.float32),
    )
    path = run(tmp_path / "out.csv", {"sketch": guess})
    assert path.read_text(encoding="utf-8").splitlines()[1] == (
        "0,0.0,sketch,sketch_classification,pez,0.5,1.0,2.0,30.0,40.0,,"
    )


def test_every_frame_is_on_the_disk_before_the_next(tmp_path: Path) -> None:
    for name, header in (("out.jsonl", 0), ("out.csv", 1)):
        sink = make_sink(str(tmp_path / name))
        sink.open(INFO)
        for index in range(3):
            image = grey(INFO, 0)
            long = Said({"task": "any", "labels": [{"label": "x" * 20_000, "score": 1.0}]})
            sink.write(image, FrameResult(Frame(image, index, INFO.time_base, index, 0), {"m": long}))
            partial = tmp_path / Path(name).with_suffix(f".partial{Path(name).suffix}")
            text = partial.read_text(encoding="utf-8")
            assert text.count("\n") == index + 1 + header
            assert text.endswith("\n")
        sink.close()


def test_results_need_no_picture() -> None:
    assert not make_sink("out.jsonl").needs_image
    assert not make_sink("out.csv").needs_image
