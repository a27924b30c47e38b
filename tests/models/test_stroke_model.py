"""A sketch model is asked about strokes, and answers as about Quick, Draw!'s own bitmaps of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models import load_model
from models.errors import ModelError
from models.onnx_session import OnnxSession
from models.package import find_package
from models.stroke_model import MOST_GUESSES, StrokeModel
from tests.models.stand_in_packages import detector_package


@pytest.fixture(scope="module")
def stroke_model() -> StrokeModel:
    return StrokeModel(load_model("quickdraw-32", device="cpu"))


@pytest.mark.parametrize("name", ["apple", "diamond", "train"])
def test_guesses_are_those_of_the_graph_on_googles_bitmap_of_the_same_drawing(
    test_data: Path, stroke_model: StrokeModel, name: str
) -> None:
    """Of these categories the files of strokes and of bitmaps begin with the same drawings."""
    lines = (test_data / "quickdraw/strokes" / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()[:8]
    bitmaps = np.load(test_data / "quickdraw/bitmaps" / f"{name}.npz")["bitmaps"][: len(lines)]
    package = find_package("quickdraw-32")
    pixels = bitmaps.reshape(-1, 1, 28, 28).astype(np.float32) / 255
    logits = OnnxSession(package.model_path, device="cpu").run({"pixel_values": pixels})["logits"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for line, row in zip(lines, shares, strict=True):
        guess = stroke_model([np.array(stroke[:2], float).T for stroke in json.loads(line)["drawing"]])
        assert len(guess) == MOST_GUESSES
        # Six grey levels between the pictures (test_sketch_raster) move the shares a little.
        np.testing.assert_allclose(guess.scores, row[guess.class_ids], atol=0.12)
        assert int(row.argmax()) in guess.class_ids[:2]


def test_the_region_is_the_extent_of_the_strokes(stroke_model: StrokeModel) -> None:
    guess = stroke_model([np.array([[3.0, 9], [5, 100]]), np.zeros((0, 2)), np.array([[-7.0, 20]])])
    assert guess.region_xyxy is not None
    assert guess.region_xyxy.tolist() == [-7, 9, 5, 100]


@pytest.mark.parametrize("strokes", [[], [np.zeros((0, 2))]])
def test_of_nothing_nothing_is_guessed(stroke_model: StrokeModel, strokes: list[NDArray[np.float64]]) -> None:
    guess = stroke_model(strokes)
    assert (len(guess), guess.region_xyxy, guess.drawing) == (0, None, None)


def test_a_dot_is_guessed_at(stroke_model: StrokeModel) -> None:
    assert len(stroke_model([np.array([[500.0, 500]])])) == MOST_GUESSES


def test_a_model_that_reads_no_drawings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="object_detection; take quickdraw-32"):
        StrokeModel(load_model(detector_package(tmp_path / "dogs", []), device="cpu"))
