"""Masks, cut-outs, the animation and the results, with a model whose masks are known discs and boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from pycocotools import mask as coco_mask
from rich.console import Console

from exporters.parity_inputs import drawn_photo
from models.errors import MirillaError, ModelError
from models.everything import GridSpec
from models.prompts import ObjectPrompt
from stream.model_table import package_table, zoo_table
from stream.segmenting.segment import SegmentOptions, segment_source
from tests.end_to_end.conftest import Mirilla, mirilla
from tests.models.sam_checkpoints import mask_iou
from tests.segmenting.stand_in import NEGATIVE_RADIUS_PX, RADII_PX, SCORES, SIDE_PX

__all__ = ["mirilla"]


def save(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """A picture without black, which a cut-out could be taken for; uint8 (H, W, 3), RGB."""
    photo = np.maximum(drawn_photo(height, width), 1)
    Image.fromarray(photo).save(path)
    return photo


def disc(size_wh: tuple[int, int], centre: tuple[float, float], radius_px: float) -> NDArray[np.bool_]:
    """Of a radius in pixels of the model's input, on a picture of a size."""
    width, height = size_wh
    y, x = np.mgrid[:height, :width]
    radius = radius_px * max(size_wh) / SIDE_PX
    return np.asarray(np.hypot(x - centre[0], y - centre[1]) < radius)


def read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def gif_frames(path: Path) -> list[tuple[NDArray[np.uint8], int]]:
    """Pictures with their milliseconds; the last is there again, so that players show it as long as it should be."""
    with Image.open(path) as gif:
        frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(gif)]
    assert np.array_equal(frames[-1][0], frames[-2][0])
    return frames[:-1]


@pytest.mark.parametrize(("width", "height"), [(320, 240), (121, 303)])
def test_masks_cut_outs_and_results(discs: Path, tmp_path: Path, width: int, height: int) -> None:
    photo = save(tmp_path / "a.png", width, height)
    prompts = [
        ObjectPrompt(((60, 100),), ((90, 100),)),
        ObjectPrompt(box_xyxy=(15, 130, 110, 230)),
    ]
    out = tmp_path / "out"
    made = segment_source(str(tmp_path / "a.png"), str(discs), SegmentOptions(out, prompts, device="cpu"))
    size = (width, height)
    moon = disc(size, (60, 100), RADII_PX[1]) & ~disc(size, (90, 100), NEGATIVE_RADIUS_PX)
    plate = np.zeros((height, width), np.bool_)
    plate[130:230, 15:110] = True
    masks = []
    for number, known in enumerate((moon, plate), 1):
        levels = read(out / f"object-{number}.png")
        assert levels.shape == (height, width)
        assert set(np.unique(levels)) == {0, 255}
        mask = np.asarray(levels > 0)
        # The model's cells are 4 px wide.
        assert mask_iou(mask, known) > 0.94
        masks.append(mask)
        rows, columns = np.nonzero(mask)
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        cut = read(out / f"object-{number}-cutout.png")
        assert np.array_equal(cut[..., 3], levels[part])
        assert np.array_equal(cut[..., :3], photo[part] * mask[part][..., None])
    colours = read(out / "colours.png")
    assert np.array_equal(colours.any(axis=2), masks[0] | masks[1])
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 3
    record = json.loads((out / "results.json").read_text(encoding="utf-8"))
    found = record["results"]["discs"]
    assert found["task"] == "prompted_segmentation"
    assert [one["label"] for one in found["detections"]] == ["object 1", "object 2"]
    for one, mask in zip(found["detections"], masks, strict=True):
        assert one["score"] == pytest.approx(max(SCORES), abs=1e-4)
        assert np.array_equal(coco_mask.decode(one["mask"]) > 0, mask)
        x, y, across, down = coco_mask.toBbox(one["mask"])
        assert list(one["box"].values()) == [x, y, x + across, y + down]
    assert record["prompts"][0] == {"points": [[60, 100]], "negative": [[90, 100]], "box": None}
    assert set(record["stage_ms"]) == {"preprocess", "encoder", "decoder", "postprocess"}
    # A point with one beside it and a box are asked one after the other.
    assert record["models"]["discs"]["runs"] == {"encoder": 1, "decoder": 2} == made.runs
    assert made.pixels == [int(mask.sum()) for mask in masks]


def test_the_animation_goes_from_the_picture_to_the_result(discs: Path, tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", 300, 200)
    options = SegmentOptions(tmp_path / "out", [ObjectPrompt(((150, 100),))], device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), options)
    frames = gif_frames(tmp_path / "out" / "segment.gif")
    assert [duration for _, duration in frames] == [1500, 1500, 1500, 3000]
    bar = frames[0][0].shape[0] - 200
    first, pointed, masks, result = (picture[bar:].astype(int) for picture, _ in frames)
    known = disc((300, 200), (150, 100), RADII_PX[1])
    assert np.abs(first - photo).mean() < 8
    changed = np.abs(pointed - first).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert abs(rows.mean() - 100) < 3
    assert abs(columns.mean() - 150) < 3
    # A GIF's palette is not exact.
    assert mask_iou(masks.max(axis=2) > 40, known) > 0.94
    assert np.abs(result - first)[known].mean() > 3 * np.abs(result - first)[~known].mean()


def test_all_three_masks(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 256, 256)
    options = SegmentOptions(tmp_path / "out", [ObjectPrompt(((128, 128),))], all_masks=True, device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), options)
    # By falling score, not in the model's order.
    for rank, radius in enumerate((RADII_PX[1], RADII_PX[2], RADII_PX[0]), 1):
        mask = read(tmp_path / "out" / f"object-1-mask-{rank}.png") > 0
        assert mask_iou(mask, disc((256, 256), (128, 128), radius)) > 0.94
    assert len(list((tmp_path / "out").glob("*-cutout.png"))) == 1
    assert len(gif_frames(tmp_path / "out" / "segment.gif")) == 6


def test_everything(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 256, 256)
    grid = GridSpec(points_per_side=2, least_iou=0.9, least_stability=0.5)
    seen: list[tuple[int, int]] = []
    options = SegmentOptions(tmp_path / "out", grid=grid, device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), options, lambda *done: seen.append(done))
    centres = {(64, 64), (192, 64), (64, 192), (192, 192)}
    for number in range(1, 5):
        mask = read(tmp_path / "out" / f"mask-{number}.png") > 0
        rows, columns = np.nonzero(mask)
        near = min(centres, key=lambda centre: np.hypot(columns.mean() - centre[0], rows.mean() - centre[1]))
        assert mask_iou(mask, disc((256, 256), near, RADII_PX[1])) > 0.94
        centres.remove(near)
    assert seen == [(4, 4)]


def test_parts_are_drawn_on_their_whole(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 256, 256)
    # One point, and masks of all three sizes are sure enough: the surest is the middle one.
    grid = GridSpec(points_per_side=1, least_iou=0.5, least_stability=0.5, nms_iou=0.99)
    segment_source(str(tmp_path / "a.png"), str(discs), SegmentOptions(tmp_path / "out", grid=grid, device="cpu"))
    row = read(tmp_path / "out" / "colours.png")[128]
    # From the middle outwards: three colours, then black.
    changes = np.flatnonzero((row[129:] != row[128:-1]).any(axis=1))
    assert [abs(change - radius) < 4 for change, radius in zip(changes, RADII_PX, strict=True)] == [True] * 3


def test_nothing_sure_enough_is_said_in_files_too(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 64, 48)
    options = SegmentOptions(tmp_path / "out", grid=GridSpec(2, least_iou=0.99), device="cpu")
    assert len(segment_source(str(tmp_path / "a.png"), str(discs), options).found) == 0
    assert not read(tmp_path / "out" / "colours.png").any()
    assert len(gif_frames(tmp_path / "out" / "segment.gif")) == 4


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (1600, 900)])
def test_sizes(discs: Path, tmp_path: Path, width: int, height: int) -> None:
    save(tmp_path / "a.png", width, height)
    options = SegmentOptions(tmp_path / "out", [ObjectPrompt(((width // 2, height // 2),))], device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), options)
    assert read(tmp_path / "out" / "object-1.png").shape == (height, width)
    assert max(gif_frames(tmp_path / "out" / "segment.gif")[0][0].shape[1], 1) == min(width, 720)


def test_earlier_output_stays_unless_told(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 64, 48)
    first = SegmentOptions(tmp_path / "out", [ObjectPrompt(((9, 9),)), ObjectPrompt(((50, 9),))], device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), first)
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    again = SegmentOptions(tmp_path / "out", [ObjectPrompt(((9, 9),))], device="cpu")
    with pytest.raises(MirillaError, match="exists and is not empty; pass --overwrite"):
        segment_source(str(tmp_path / "a.png"), str(discs), again)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    again = SegmentOptions(tmp_path / "out", [ObjectPrompt(((9, 9),))], overwrite=True, device="cpu")
    segment_source(str(tmp_path / "a.png"), str(discs), again)
    # The second object was the first run's.
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("object-1.png", "object-1-cutout.png", "colours.png", "result.png"),
        *("segment.gif", "results.json", "notes.txt"),
    }


def test_what_fails_leaves_nothing(discs: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 64, 48)
    options = SegmentOptions(tmp_path / "out", [ObjectPrompt(((64, 9),))], device="cpu")
    with pytest.raises(MirillaError, match="the point 64,9 is outside the picture"):
        segment_source(str(tmp_path / "a.png"), str(discs), options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "nothing to look for; give --point, --box, --object, or --everything"),
        ({"grid": GridSpec(), "prompts": [ObjectPrompt(((1, 1),))]}, "leave points and boxes out"),
        ({"grid": GridSpec(), "all_masks": True}, "leave --all-masks out"),
    ],
)
def test_what_does_not_go_together(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MirillaError, match=message):
        SegmentOptions(Path("out"), **fields)


def test_the_command(discs: Path, tmp_path: Path, mirilla: Mirilla) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), 90, np.uint8))
    told = mirilla("segment", "a.png", "--model", discs, "--point", "40,30", "--object", "box:1,1,20,20")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["object 1", "object 2"]
    assert all(line.endswith("predicted IoU 0.930") for line in lines[:2])
    assert lines[2].startswith("encoder ")
    assert "(1 run), decoder " in lines[2]
    assert "(2 runs), CPUExecutionProvider" in lines[2]
    assert (tmp_path / "out" / "segment" / "result.png").is_file()
    refused = mirilla("segment", "a.png", "--model", "quickdraw-32", "--point", "40,30", "--output", "other")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1)
    assert "not for points and boxes" in refused.stderr


def test_the_lists_of_models_say_who_takes_them(
    discs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.model_table.exported_names", lambda: [str(discs)])
    for table in (zoo_table(), package_table()):
        Console(width=300).print(table)
    listed = capsys.readouterr().out.splitlines()
    for name in ("slim-sam", "sam-vit-base", str(discs)):
        (row,) = [line for line in listed if line.strip().startswith(name)]
        assert "(mirilla segment)" in row


def test_a_model_that_fails_leaves_no_folder(discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: Any, **_options: Any) -> None:
        raise ModelError("the model failed while it ran: no memory")

    monkeypatch.setattr("models.prompted_model.PromptedModel.segment", fails)
    save(tmp_path / "a.png", 64, 48)
    options = SegmentOptions(tmp_path / "out", [ObjectPrompt(((9, 9),))], device="cpu")
    with pytest.raises(ModelError, match="no memory"):
        segment_source(str(tmp_path / "a.png"), str(discs), options)
    assert not (tmp_path / "out").exists()
