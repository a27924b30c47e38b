"""Two models on one stream, one of them seldom, the other with tracking: as a user runs them from a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np

from tests.end_to_end.conftest import Mirilla

CONFIG = """
streams:
  street:
    source: street
    models:
      - {{package: {detector}, name: finder, track: true, count: {{zones: {{all: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}}}}
      - {{package: quickdraw-32, every: 3, threshold: 0}}
    sinks: [seen.mp4, seen.jsonl, seen.csv]
    overlay: {{highlight: person}}
"""


def test_two_models_of_different_pace(test_data: Path, mirilla: Mirilla, tmp_path: Path) -> None:
    image = cv2.imread(str(test_data / "images" / "bus.jpg"))
    assert image is not None
    (tmp_path / "street").mkdir()
    # The camera moves by 4 pixels a frame.
    for index in range(7):
        cv2.imwrite(str(tmp_path / "street" / f"{index}.png"), np.roll(image, 4 * index, axis=1))
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(detector=test_data / "weights" / "yolov8n_int8.onnx"), encoding="utf-8")
    result = mirilla("run", path, "--report", "report.json")
    assert result.returncode == 0, result.stderr

    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert [sorted(line["results"]) for line in lines] == [
        ["finder", "quickdraw-32"] if index % 3 == 0 else ["finder"] for index in range(7)
    ]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames"]["inferred"] == {"finder": 7, "quickdraw-32": 3}
    assert set(report["stage_ms"]["tracking"]) == {"p50", "p95"}

    # There are three whole people and a bus; each keeps its id.
    for label, expected in (("person", 3), ("bus", 1)):
        ids = [
            sorted(one["track_id"] for one in line["results"]["finder"]["detections"] if one["label"] == label)
            for line in lines
        ]
        steady = set(ids[0]).intersection(*ids)
        assert len(steady) >= expected
    counts = report["counts"]["finder"]
    assert counts == lines[-1]["counts"]["finder"]
    assert counts["unique"]["bus"] == 1
    assert 3 <= counts["unique"]["person"] <= 4  # a fourth is cut off by the border
    assert counts["zones"]["all"] == sum(counts["present"].values())
    assert "counted" in result.stdout
    with (tmp_path / "seen.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "finder"]
    assert all(row["track_id"] for row in rows if row["task"] == "object_detection")
    last = {(row["task"], row["label"]): int(row["count"]) for row in rows if row["index"] == "6" and row["count"]}
    assert last == {
        **{("count_present", label): count for label, count in counts["present"].items()},
        **{("count_unique", label): count for label, count in counts["unique"].items()},
        ("count_zone", "all"): counts["zones"]["all"],
    }


def test_only_the_likeliest_objects_are_kept(test_data: Path, mirilla: Mirilla, tmp_path: Path) -> None:
    options = ["--source", test_data / "images" / "bus.jpg", "--model", test_data / "weights" / "yolov8n_int8.onnx"]
    found = {}
    for most in (2, 100):
        result = mirilla("run", *options, "--sink", f"{most}.jsonl", "--max-detections", most, "--quiet")
        assert result.returncode == 0, result.stderr
        (results,) = json.loads((tmp_path / f"{most}.jsonl").read_text())["results"].values()
        found[most] = results["detections"]
    assert len(found[100]) > 2
    assert found[2] == found[100][:2]
