"""Segmenters as a user has them: trained on own pictures, putting something behind people, naming all drawings."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.end_to_end.conftest import Mirilla
from tests.models.drawing_packages import ink_package, stroke_package
from tests.models.stand_in_packages import detector_package


def write_squares(folder: Path, count: int) -> None:
    """Pictures of a bright square on a dark ground, and masks of it."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        mask = np.zeros((48, 64), np.uint8)
        mask[10 + number : 30 + number, 20:44] = 255
        picture = np.where(mask[..., None] > 0, np.uint8(220), np.uint8(40)) * np.ones((1, 1, 3), np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)


def test_a_unet_learns_a_users_pictures_and_runs_on_them(mirilla: Mirilla, tmp_path: Path) -> None:
    write_squares(tmp_path / "squares", 6)
    learn = ["--set", "held_out=0", "--set", "augmentation=0", "--set", "learning_rate=0.02", "--set", "ema_decay=0.5"]
    size = ["--set", "size=32", "--set", "channels=4,8", "--set", "batch_size=4", "--set", "mixed_precision=false"]
    train = ["train", "unet", "--data", "squares", "--output", "mine", *learn, *size, "--set", "report_every=20"]
    result = mirilla(*train, "--steps", "60")
    assert result.returncode == 0, result.stderr
    assert "step 60 of 60: loss " in result.stderr
    assert result.stdout.startswith("mine: IoU background ")
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parity"]["passed"]
    assert manifest["class_names"] == ["background", "object"]
    assert manifest["trained_with"].startswith("mirilla train unet --data ")
    assert (tmp_path / "mine" / "training.png").stat().st_size > 1000
    assert manifest["accuracy"]["iou"] > 0.8

    run = mirilla("run", "--source", "squares/images", "--model", "mine", "--sink", "seen.jsonl")
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]
    # A square of 20x24 in a picture of 48x64.
    areas = [{row["label"]: row["area"] for row in line["results"]["mine"]["segments"]}["object"] for line in lines]
    assert areas == pytest.approx([20 * 24 / (48 * 64)] * 6, abs=0.04)


@pytest.mark.parametrize("timing", ["exact", "latest"])
def test_something_else_comes_behind_people(mirilla: Mirilla, tmp_path: Path, timing: str) -> None:
    """The stand-in takes what is dark for a person: the left half of a picture that is otherwise grey."""
    ink_package(tmp_path / "people", names=("room", "person"))
    scene = np.full((120, 160, 3), 180, np.uint8)
    scene[:, :80] = (10, 40, 90)
    (tmp_path / "scenes").mkdir()
    for number in range(8):
        cv2.imwrite(str(tmp_path / "scenes" / f"{number}.png"), scene)
    cv2.imwrite(str(tmp_path / "beach.png"), np.full((20, 30, 3), (230, 220, 40), np.uint8))
    arguments = ["--model", "./people", "--background", "beach.png", "--overlay", timing, "--no-hud"]
    result = mirilla("run", "--source", "scenes", *arguments, "--sink", "frames/")
    assert result.returncode == 0, result.stderr
    written = sorted((tmp_path / "frames").iterdir())
    assert len(written) == 8
    for path in written:
        shown = cv2.imread(str(path))
        assert shown is not None
        # Also a picture that came before the first answer shows nothing of the room.
        np.testing.assert_array_equal(shown[:, 90:], np.full((120, 70, 3), (230, 220, 40), np.uint8))
        if timing == "exact":
            np.testing.assert_array_equal(shown[:, :70], scene[:, :70])


def test_sketches_behind_a_detector_are_named_followed_and_masked(mirilla: Mirilla, tmp_path: Path) -> None:
    detector_package(tmp_path / "finder", [[6, 8, 18, 56, 0.7, 1], [30, 24, 60, 36, 0.9, 1]], ("face", "drawing"))
    ink_package(tmp_path / "ink")
    stroke_package(tmp_path / "strokes")
    paper = np.full((320, 320, 3), 250, np.uint8)
    cv2.line(paper, (60, 50), (60, 270), (20, 20, 20), 6)
    cv2.line(paper, (165, 150), (285, 150), (20, 20, 20), 6)
    (tmp_path / "pages").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "pages" / f"{number}.png"), paper)
    (tmp_path / "config.yaml").write_text(
        "streams: {desk: {source: pages, sinks: [seen.jsonl, seen.mp4], models: "
        "[{package: ./strokes, detector: ./finder, ink: ./ink}]}}"
    )
    result = mirilla("run")
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        found = {row["label"]: row for row in line["results"]["strokes"]["detections"]}
        assert {label: row["track_id"] for label, row in found.items()} == {"wide": 1, "tall": 2}
        assert all(row["mask"]["counts"] for row in found.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--source", "pattern", "--model", "quickdraw-32", "--sink", "null", "--background", "blur"],
         "background: 'blur': no model of the stream tells people from what is behind them; add 'person-segmenter'"),
        (["run", "--source", "pattern", "--model", "./ink", "--sink", "null", "--background", "sea.jpg"],
         "background: 'sea.jpg' is neither blur, white nor none, and no picture that can be read"),
        (["run", "--source", "pattern", "--model", "./ink", "--sink", "null", "--detector", "./ink"],
         "detector: only pose and sketch models look at what a detector finds"),
        (["run", "--source", "pattern", "--model", "./ink", "--sink", "null", "--background", "blur", "--isolate",
          "person"],
         "overlay: background and isolate exclude one another"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(mirilla: Mirilla, tmp_path: Path, arguments: list[str], message: str) -> None:
    ink_package(tmp_path / "ink", names=("room", "person"))
    stroke_package(tmp_path / "strokes")
    result = mirilla(*arguments)
    assert result.returncode == 2, result.stderr
    said = result.stderr.strip().splitlines()
    assert len(said) == 1, result.stderr
    assert message in said[0]
