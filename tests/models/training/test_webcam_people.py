"""Pictures of people before a webcam: masks are exact, parts do not mix, the same numbers make the same picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import MirillaError
from models.training.segmentation_pairs import PairWriter, Part
from models.training.webcam_hands import Hand, put_hand, read_hands
from models.training.webcam_people import Portrait, WebcamPeople, read_backgrounds, read_portraits
from tests.models.training.people_files import SKIN_BGR, person, write_backgrounds, write_people


@pytest.fixture
def people(tmp_path: Path) -> WebcamPeople:
    return WebcamPeople.read(
        write_people(tmp_path / "people", 20), write_backgrounds(tmp_path / "backgrounds"), "training"
    )


def portrait() -> Portrait:
    image, mask, (x, y, width, height) = person()
    return Portrait(image, mask, (x, y, width, height), (55, 25, 70, 175))


def is_person(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Red and skin are the person's; the street is green."""
    return np.asarray(picture[..., 2] > 140) | (picture[..., 0] > 140)


@pytest.mark.parametrize("aspect", [4 / 3, 16 / 9, 3 / 4])
@pytest.mark.parametrize("seed", range(4))
def test_a_cut_of_the_street_has_the_mask_of_its_person(aspect: float, seed: int) -> None:
    source = WebcamPeople([portrait()], [])
    picture, mask = source.own_street(portrait(), aspect, (96, 72), np.random.default_rng(seed))
    assert set(np.unique(mask).tolist()) == {0, 1}
    # But for the pixels of the outline, which are of both.
    outline = cv2.dilate(mask, np.ones((3, 3))) != cv2.erode(mask, np.ones((3, 3)))
    np.testing.assert_array_equal(is_person(picture)[~outline], (mask > 0)[~outline])


@pytest.mark.parametrize("seed", range(8))
def test_who_is_put_before_another_background_goes_out_of_the_picture_below(seed: int) -> None:
    source = WebcamPeople([portrait()], [np.full((90, 120, 3), 128, np.uint8)])
    picture, mask = source.composed(portrait(), 4 / 3, (96, 72), np.random.default_rng(seed))
    assert (picture.shape, mask.shape) == ((72, 96, 3), (72, 96))
    assert set(np.unique(mask).tolist()) <= {0, 1}
    columns = np.flatnonzero(mask.any(axis=0))
    if len(columns):
        # Nobody floats: whatever is seen of a body reaches the lower edge.
        assert mask[-1].any()


def test_the_same_numbers_make_the_same_picture(people: WebcamPeople) -> None:
    first, again, other = (people.sample((64, 48), np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_no_person_is_in_two_parts_and_no_background_shows_any(tmp_path: Path) -> None:
    folder, backgrounds = write_people(tmp_path / "people", 40), write_backgrounds(tmp_path / "backgrounds", 41)
    marks: list[int] = []
    parts: tuple[tuple[Part, int], ...] = (("training", 34), ("validation", 2), ("held_out", 4))
    for part, count in parts:
        portraits = read_portraits(folder / "portraits", part)
        # 40 of the 41 pictures are without people, and parted alike.
        assert (len(portraits), len(read_backgrounds(backgrounds, part))) == (count, count)
        marks += [round(portrait.image[4, 4, 0] / 6) for portrait in portraits]
    assert sorted(marks) == list(range(1, 41))


def test_held_out_people_are_written_for_evaluate(tmp_path: Path) -> None:
    folder, backgrounds = write_people(tmp_path / "people", 20), write_backgrounds(tmp_path / "backgrounds")
    WebcamPeople.read(folder, backgrounds, "held_out").write_pairs(
        PairWriter(tmp_path / "out", ("background", "person"))
    )
    images, masks = (sorted(path.stem for path in (tmp_path / "out" / name).iterdir()) for name in ("images", "masks"))
    assert images == masks
    assert len(images) == 2 * 4  # of each person two before their street, two before something else
    assert (tmp_path / "out" / "classes.txt").read_text() == "background\nperson\n"


def test_hands_are_cut_out_by_their_boxes_and_colours(tmp_path: Path) -> None:
    hands = read_hands(write_people(tmp_path, 1, hands=4) / "hands", "training")
    assert len(hands) == 4
    for hand in hands:
        is_skin = np.abs(hand.image.astype(int) - SKIN_BGR).max(axis=2) < 40
        shared = (is_skin & (hand.mask > 0)).sum() / (is_skin | (hand.mask > 0)).sum()
        assert shared > 0.9


def test_a_hand_and_its_sleeve_belong_to_the_person() -> None:
    image = np.full((40, 40, 3), SKIN_BGR, np.uint8)
    cloth = np.full((9, 9, 3), (0, 0, 255), np.uint8)
    blank, nobody = np.full((120, 160, 3), (0, 255, 0), np.uint8), np.zeros((120, 160), np.uint8)
    hand = Hand(image, np.full((40, 40), 255, np.uint8))
    picture, mask = put_hand(blank, nobody, hand, cloth, np.random.default_rng(2))
    changed = (picture != blank).any(axis=2)
    assert mask.any()
    np.testing.assert_array_equal(changed[mask > 127], True)
    np.testing.assert_array_equal(changed[mask == 0], False)


@pytest.mark.parametrize("missing", ["portraits/boxes.json", "portraits/masks/0001.png", "portraits/images/0003.jpg"])
def test_a_file_that_is_missing_is_said(tmp_path: Path, missing: str) -> None:
    folder = write_people(tmp_path / "people", 20)
    (folder / missing).unlink()
    with pytest.raises(MirillaError, match=missing.rsplit("/", 1)[-1]):
        WebcamPeople.read(folder, write_backgrounds(tmp_path / "backgrounds"), "training")
