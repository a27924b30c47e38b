"""What each kind of segmenter is trained and measured on, through to a package with its papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from exporters.export import export_package
from models.manifest import read_manifest
from models.training.errors import TrainingError
from models.training.segmenter_data import is_own_data, pairs_of, write_held_out
from models.training.segmenter_package import measure_package, write_record
from models.training.segmenter_settings import SegmenterSettings
from models.training.train_segmenter import train_segmenter
from tests.models.training.drawn_files import write_bitmaps
from tests.models.training.people_files import write_backgrounds, write_people


def settings(folder: Path, kind: str, **changed: Any) -> SegmenterSettings:
    small: dict[str, Any] = {"size": 32, "channels": (4, 8), "steps": 2, "rise": 1, "batch_size": 2}
    made = {"kind": kind, "data": folder / "data", "backgrounds": folder / "rooms", "output": folder / "out"}
    return SegmenterSettings(**{**small, **made, "held_out_pages": 3, "mixed_precision": False, **changed})


def write_data(folder: Path, kind: str) -> None:
    write_backgrounds(folder / "rooms", 41)
    if kind == "person-segmenter":
        write_people(folder / "data", 40, hands=20)
    else:
        write_bitmaps(folder / "data" / "bitmaps", 40)


@pytest.mark.parametrize(
    ("kind", "class_names", "credit", "pictures"),
    [
        ("person-segmenter", ("background", "person"), "Clothing Co-Parsing", 4 * 4),
        ("drawing-segmenter", ("paper", "ink"), "Quick, Draw!", 3),
    ],
)
def test_a_kind_is_trained_exported_and_measured(
    tmp_path: Path, kind: str, class_names: tuple[str, ...], credit: str, pictures: int
) -> None:
    write_data(tmp_path, kind)
    wanted = settings(tmp_path, kind)
    training, validation = pairs_of(wanted, "training"), pairs_of(wanted, "validation")
    trained = train_segmenter(wanted, training, validation, lambda _: None, lambda _: None)
    write_record(trained, wanted, is_own_data=is_own_data(training))
    write_held_out(wanted, tmp_path / "held_out")
    package = export_package(wanted.output, tmp_path / kind)
    found = measure_package(package, tmp_path / "held_out", wanted, trained, lambda _done, _total: None)
    assert found.pictures == pictures
    manifest = read_manifest(package)
    assert manifest.class_names == class_names
    assert credit in (manifest.source.attribution or "")
    assert manifest.accuracy is not None
    assert manifest.accuracy["miou"] == pytest.approx(found.figures["miou"], abs=1e-4)
    card = (package / "README.md").read_text(encoding="utf-8")
    for told in (credit, f"on {pictures} held-out pictures", f"mirilla train {kind} --data", "training.png"):
        assert told in card


@pytest.mark.parametrize("kind", ["person-segmenter", "drawing-segmenter"])
def test_every_kind_is_trained_on_a_users_own_masks(tmp_path: Path, kind: str) -> None:
    for name in ("images", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "data" / name / "a.png"), np.full((40, 40, 3), 200, np.uint8))
    source = pairs_of(settings(tmp_path, kind, held_out=0.0, backgrounds=None), "training")
    assert is_own_data(source)
    assert source.class_names == ("background", "object")


@pytest.mark.parametrize("kind", ["person-segmenter", "drawing-segmenter"])
def test_pictures_are_the_same_for_the_same_numbers(tmp_path: Path, kind: str) -> None:
    write_data(tmp_path, kind)
    source = pairs_of(settings(tmp_path, kind), "training")
    again = pairs_of(settings(tmp_path, kind), "training")
    for seed in range(3):
        (picture, labels), (same, same_labels) = (
            each.sample((64, 48), np.random.default_rng(seed)) for each in (source, again)
        )
        assert (picture.shape, labels.shape) == ((48, 64, 3), (48, 64))
        np.testing.assert_array_equal(picture, same)
        np.testing.assert_array_equal(labels, same_labels)


def test_pages_have_ink_in_their_masks_and_it_is_no_paper(tmp_path: Path) -> None:
    write_data(tmp_path, "drawing-segmenter")
    source = pairs_of(settings(tmp_path, "drawing-segmenter"), "training")
    contrasts = []
    for seed in range(20):
        picture, labels = source.sample((128, 128), np.random.default_rng(seed))
        ink = labels > 0
        if ink.sum() < 20:
            continue
        around = (cv2.dilate(labels, np.ones((9, 9))) > 0) & ~(cv2.dilate(labels, np.ones((5, 5))) > 0)
        contrasts.append(abs(picture[ink].astype(float).mean(axis=0) - picture[around].mean(axis=0)).max())
    # Even pale pens in bad light can be told from what is beside them.
    assert len(contrasts) >= 10
    assert np.median(contrasts) > 20


@pytest.mark.parametrize(
    ("kind", "files", "message"),
    [
        ("unet", [], "data: .*data is no folder"),
        ("unet", ["bitmaps"], "nothing that unet is trained on; give a folder with images/ and masks/"),
        ("person-segmenter", ["bitmaps"], "nothing that person-segmenter is trained on"),
        ("drawing-segmenter", ["bitmaps"], "backgrounds: what is made here lies before other pictures"),
    ],
)
def test_data_for_something_else_is_named(tmp_path: Path, kind: str, files: list[str], message: str) -> None:
    for name in files:
        write_bitmaps(tmp_path / "data" / name, 20)
    with pytest.raises(TrainingError, match=message):
        pairs_of(settings(tmp_path, kind, backgrounds=None), "training")
