"""Two models on one stream, one of them seldom, the other with tracking: as a user runs them from a file."""

from __future__ import annotations

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
    header, *rows = (tmp_path / "seen.csv").read_text().splitlines()
    assert header.endswith("track_id")
    assert all(row.split(",")[-1] for row in rows if ",finder," in row)
