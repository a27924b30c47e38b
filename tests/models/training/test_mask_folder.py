"""The user's own pictures and masks: the layouts of well-known sets, what masks may hold, and what is held out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.errors import TrainingError
from models.training.mask_folder import MaskFolder, find_pairs
from models.training.picture_augment import augment_pair
from models.training.segmentation_pairs import NOT_COUNTED


def write(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), array)


def picture(level: int, size_hw: tuple[int, int] = (20, 30)) -> NDArray[np.uint8]:
    return np.full((*size_hw, 3), level, np.uint8)


def mask(size_hw: tuple[int, int] = (20, 30), value: int = 255) -> NDArray[np.uint8]:
    """The left third is the object."""
    labels = np.zeros(size_hw, np.uint8)
    labels[:, : size_hw[1] // 3] = value
    return labels


@pytest.mark.parametrize(
    ("image_file", "mask_file"),
    [
        ("images/one.jpg", "masks/one.png"),  # ours, and full-body MADS
        ("test_images/one.jpg", "test_masks/one.png"),
        ("IMD002/IMD002_Dermoscopic_Image/IMD002.bmp", "IMD002/IMD002_lesion/IMD002_lesion.bmp"),  # PH2
        ("part_1/ISIC_0024306.jpg", "segmentations/ISIC_0024306_segmentation.png"),  # HAM10000
    ],
)
def test_the_layouts_of_known_data_sets_are_read_as_they_are(tmp_path: Path, image_file: str, mask_file: str) -> None:
    write(tmp_path / image_file, picture(90))
    write(tmp_path / mask_file, mask())
    # PH2 keeps colour regions beside, which are neither.
    write(tmp_path / "IMD002" / "IMD002_roi" / "IMD002_R1_Label3.bmp", mask())
    assert find_pairs(tmp_path) == [(tmp_path / image_file, tmp_path / mask_file)]
    source = MaskFolder.read(tmp_path, "training", held_out=0.0, augmentation=0.0)
    seen, labels = source.sample((30, 20), np.random.default_rng(0))
    assert source.class_names == ("background", "object")
    assert seen.shape == (20, 30, 3)
    np.testing.assert_array_equal(labels, mask(value=1))


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (mask(value=1), [0, 1]),  # 0 and 1
        (mask(value=250) + 3, [0, 1]),  # of a JPEG
        (np.repeat(mask()[..., None], 3, axis=2), [0, 1]),  # in three channels
        (np.zeros((20, 30), np.uint8), [0]),  # nothing there
    ],
)
def test_masks_of_two_classes_come_in_many_forms(
    tmp_path: Path, stored: NDArray[np.uint8], expected: list[int]
) -> None:
    write(tmp_path / "images" / "a.png", picture(90))
    write(tmp_path / "masks" / "a.png", stored)
    source = MaskFolder.read(tmp_path, "training", held_out=0.0, augmentation=0.0)
    assert np.unique(source.sample((30, 20), np.random.default_rng(0))[1]).tolist() == expected


def test_classes_txt_names_the_numbers(tmp_path: Path) -> None:
    labels = mask(value=2)
    labels[0, -1] = NOT_COUNTED
    write(tmp_path / "images" / "a.png", picture(90))
    write(tmp_path / "masks" / "a.png", labels)
    (tmp_path / "classes.txt").write_text("sky\nsea\nsand\n", encoding="utf-8")
    source = MaskFolder.read(tmp_path, "training", held_out=0.0, augmentation=0.0)
    assert source.class_names == ("sky", "sea", "sand")
    np.testing.assert_array_equal(source.sample((30, 20), np.random.default_rng(0))[1], labels)


def test_no_picture_is_in_two_parts(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / "images" / f"{number:02d}.png", picture(5 * number))
        write(tmp_path / "masks" / f"{number:02d}.png", mask())
    levels = {}
    for part in ("training", "validation", "held_out"):
        source = MaskFolder.read(tmp_path, part, held_out=0.1, augmentation=0.0)
        random = np.random.default_rng(0)
        levels[part] = {int(source.sample((8, 8), random)[0][0, 0, 0]) // 5 for _ in range(400)}
    # The last tenth by name, and the twentieth before it.
    assert levels == {"training": set(range(34)), "validation": {34, 35}, "held_out": {36, 37, 38, 39}}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no pictures with masks"),
        ({"images/a.png": picture(9), "masks/b.png": mask()}, "a.png has no mask of its name"),
        ({"images/a.png": picture(9), "masks/a.png": mask((10, 10))}, "10x10, and its picture is 30x20"),
        ({"images/a.png": picture(9), "masks/a.png": mask(), "classes.txt": "one\n"}, "two classes or more"),
        ({"images/a.png": picture(9), "masks/a.png": mask(value=7), "classes.txt": "a\nb\n"}, "7 is the number of no"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, files: dict[str, NDArray[np.uint8] | str], message: str) -> None:
    for name, content in files.items():
        if isinstance(content, str):
            (tmp_path / name).write_text(content, encoding="utf-8")
        else:
            write(tmp_path / name, content)
    with pytest.raises(TrainingError, match=message):
        MaskFolder.read(tmp_path, "training", held_out=0.0, augmentation=0.0).sample((8, 8), np.random.default_rng(0))


def test_too_few_pictures_to_hold_some_out_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "images" / "a.png", picture(9))
    write(tmp_path / "masks" / "a.png", mask())
    with pytest.raises(TrainingError, match="none is left for the training part"):
        MaskFolder.read(tmp_path, "training", held_out=0.1, augmentation=0.0)


def test_labels_go_where_their_picture_goes() -> None:
    """The object is bright in a dark picture: after all changes it still is, but for its blurred edge."""
    labels = np.zeros((90, 120), np.uint8)
    labels[30:70, 40:90] = 1
    image = np.where(labels[..., None] > 0, np.uint8(230), np.uint8(25)) * np.ones((1, 1, 3), np.uint8)
    random = np.random.default_rng(4)
    for _ in range(12):
        seen, moved = augment_pair(image, labels, (64, 48), 1.0, random)
        assert (seen.shape, moved.shape) == ((48, 64, 3), (48, 64))
        assert set(np.unique(moved).tolist()) <= {0, 1, NOT_COUNTED}
        grey = seen.mean(axis=2)
        inner = cv2.erode((moved == 1).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        outer = cv2.dilate((moved != 0).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
        assert inner.any()
        assert grey[inner].min() > grey[outer].max()


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 200), (77, 5)])
def test_pictures_of_every_size_are_changed(size_hw: tuple[int, int]) -> None:
    seen, moved = augment_pair(picture(80, size_hw), mask(size_hw, 1), (32, 32), 1.0, np.random.default_rng(0))
    assert (seen.shape, moved.shape) == ((32, 32, 3), (32, 32))
