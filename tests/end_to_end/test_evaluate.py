"""`mirilla evaluate` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import Mirilla

DRAWINGS = 40


@pytest.fixture
def drawings(test_data: Path, tmp_path: Path) -> Path:
    """The first drawings of two categories, and of one that no model knows."""
    folder = tmp_path / "drawings"
    folder.mkdir()
    for source, name in (("cat", "cat"), ("star", "star"), ("moon", "cheese")):
        bitmaps = np.load(test_data / "quickdraw" / "bitmaps" / f"{source}.npz")["bitmaps"][:DRAWINGS]
        np.savez(folder / f"{name}.npz", bitmaps=bitmaps)
    return folder


def test_tables_json_and_pictures(mirilla: Mirilla, drawings: Path, tmp_path: Path) -> None:
    result = mirilla("evaluate", "quickdraw-32", "--data", drawings, "--json", "out/q.json", "--output", "pictures")
    assert result.returncode == 0, result.stderr
    for text in ("80 pictures", "top-1", "cheese", "made out/q.json"):
        assert text in result.stdout
    report = json.loads((tmp_path / "out" / "q.json").read_text())
    assert (report["model"], report["task"], report["pictures"]) == ("quickdraw-32", "sketch_classification", 80)
    assert report["figures"]["top1"] > 0.8
    assert [row["pictures"] for row in report["classes"]] == [DRAWINGS, DRAWINGS]
    assert Image.open(tmp_path / "pictures" / "confusion.png").size > (200, 200)


def test_a_held_out_share(mirilla: Mirilla, drawings: Path) -> None:
    result = mirilla("evaluate", "quickdraw-32", "--data", drawings, "--held-out", "0.1")
    assert "8 pictures" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        # no such data
        (("quickdraw-32", "--data", "nowhere"), "nowhere does not exist"),
        # a folder with nothing for this model
        (("quickdraw-32", "--data", "."), "Quick, Draw!"),
        # a share that is none
        (("quickdraw-32", "--data", ".", "--held-out", "1.5"), "--held-out"),
    ],
)
def test_mistakes_are_one_line(mirilla: Mirilla, arguments: tuple[str, ...], said: str) -> None:
    result = mirilla("evaluate", *arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert said in result.stderr
