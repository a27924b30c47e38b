"""Depth and zero-shot packages in a run, as a user starts it: pictures, results, and one line where words lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from exporters.export import ExportOptions, export_package
from tests.end_to_end.conftest import Mirilla
from tests.exporters.checkpoints import write_checkpoint

RUN = ("run", "--source", "pattern", "--frames", "3")


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    torch.set_num_threads(1)
    name: str = request.param
    return export_package(write_checkpoint(name, tmp_path / "checkpoint"), tmp_path / name, ExportOptions(batch=1))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["results"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("package", ["depth-anything"], indirect=True)
def test_depth_is_drawn_and_written(mirilla: Mirilla, package: Path, tmp_path: Path) -> None:
    sinks = [f"--sink={name}" for name in ("out.jsonl", "out.csv", "frames/", "masks:masks/")]
    result = mirilla(*RUN, "--model", package, *sinks, "--report", "report.json")
    assert result.returncode == 0, result.stderr
    for line in lines(tmp_path / "out.jsonl"):
        depth = line["depth-anything"]["predicted_depth"]
        assert (depth["kind"], depth["unit"]) == ("inverse", None)
        assert depth["min"] < depth["median"] < depth["max"]
    rows = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert [row.split(",")[4] for row in rows] == ["min", "median", "max"] * 3
    levels = cv2.imread(str(tmp_path / "masks" / "frame_000001_depth-anything_depth.png"), cv2.IMREAD_UNCHANGED)
    picture = cv2.imread(str(next((tmp_path / "frames").iterdir())))
    assert levels is not None
    assert picture is not None
    assert levels.dtype == np.uint16
    assert levels.shape == picture.shape[:2]
    assert (levels.min(), levels.max()) == (1, 65535)
    assert "steadying" in json.loads((tmp_path / "report.json").read_text())["stage_ms"]


@pytest.mark.parametrize("package", ["clip"], indirect=True)
def test_texts_come_from_the_command_or_the_configuration(mirilla: Mirilla, package: Path, tmp_path: Path) -> None:
    given = mirilla(*RUN, "--model", package, "--texts", "a dog, a cat", "--sink", "out.jsonl")
    assert given.returncode == 0, given.stderr
    config = f"streams: {{a: {{source: pattern, frames: 3, models: [{{package: {package}, texts: [a dog, a cat]}}], "
    (tmp_path / "config.yaml").write_text(config + "sinks: [two.jsonl]}}")
    written = mirilla("run")
    assert written.returncode == 0, written.stderr
    first, second = lines(tmp_path / "out.jsonl"), lines(tmp_path / "two.jsonl")
    assert first == second
    for line in first:
        labels = line["clip"]["labels"]
        assert {row["label"] for row in labels} == {"a dog", "a cat"}
        assert sum(row["score"] for row in labels) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("package", ["clip"], indirect=True)
def test_without_texts_one_line_says_so(mirilla: Mirilla, package: Path) -> None:
    for options, message in (
        ((), "texts: the model tells apart what you name, and nothing is named; give --texts 'a dog,a cat'"),
        (("--texts", "a dog,"), "texts: number 2 is empty"),
        (("--texts", "x" * 90), "tokens with its prompt, and the model reads 77; say it in fewer words"),
    ):
        result = mirilla(*RUN, "--model", package, "--sink", "null", *options)
        assert result.returncode == 2
        said = result.stderr.strip().splitlines()
        assert len(said) == 1, result.stderr
        assert message in said[0]


@pytest.mark.parametrize("package", ["clip"], indirect=True)
def test_texts_go_to_the_models_that_take_them(mirilla: Mirilla, package: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((40, 40, 3), 90, np.uint8))
    both = ("compare", package, "quickdraw-32", "--source", "grey.png")
    assert "nothing is named; give --texts" in mirilla(*both).stderr
    result = mirilla(*both, "--texts", "a dog,a cat")
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "out" / "compare" / "comparison.json").read_text())["rows"]
    assert {row["model"]: row["labels"] in ("a dog", "a cat") for row in rows} == {"clip": True, "quickdraw-32": False}
    alone = mirilla("compare", "quickdraw-32", "quickdraw-345", "--source", "grey.png", "--texts", "a dog,a cat")
    assert "texts: all models have classes of their own; leave texts out" in alone.stderr
