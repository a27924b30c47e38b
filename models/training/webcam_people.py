"""Pictures of people as a webcam sees them, with exact masks: cut from portraits, put before other backgrounds.

Read by `models.training.train_segmenter`. A portrait is shown from the head and shoulders to the half body, before its
own street or, more often, before another picture, a street that another portrait shows, or a plain room, and lit anew.
What somebody holds up to the camera belongs to them: at times there is a sheet of paper before the person, and it is in
the mask.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.pictures import read_picture
from models.training.errors import TrainingError
from models.training.segmentation_pairs import PairWriter, Part, part_of
from models.training.webcam_hands import Hand, over, put_hand, read_hands
from models.training.webcam_light import Picture, as_a_camera_sees_it, lit_anew
from models.training.webcam_rooms import make_room, put_paper

BACKGROUND, PERSON = "background", "person"
_ASPECTS = (4 / 3, 16 / 9, 1.0, 3 / 4)
_ASPECT_CHANCES = (0.42, 0.42, 0.06, 0.10)
_FACE_SHARES = (0.13, 0.55)
"""Of the frame's height: half body to head and shoulders."""
_SUPERSAMPLING = 2
_LEAST_STRIP_PX = 90
_HELD_OUT_SEED = 7


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph of one person.

    Attributes:
        image: uint8 (H, W, 3), BGR.
        mask: uint8 (H, W), 255 where the person is.
        face_xywh: in pixels.
        person_xywh: in pixels.
    """

    image: Picture
    mask: NDArray[np.uint8]
    face_xywh: tuple[float, float, float, float]
    person_xywh: tuple[float, float, float, float]


class WebcamPeople:
    """Makes pictures of people and their masks, as many as are wanted."""

    class_names = (BACKGROUND, PERSON)

    def __init__(
        self, portraits: Sequence[Portrait], backgrounds: Sequence[Picture], hands: Sequence[Hand] = ()
    ) -> None:
        """Take portraits, pictures without people that may lie behind them, and hands that are held up."""
        self._portraits = portraits
        self._backgrounds = backgrounds
        self._hands = hands

    @classmethod
    def read(cls, people: Path, backgrounds: Path, part: Part) -> Self:
        """Read one part of the people and of the backgrounds.

        Args:
            people: a folder with `portraits/`, which has `images/`, `masks/` (0 and 255, PNG) and `boxes.json`, COCO
                boxes of the categories `face` and `person`, one each a picture; and, where there is one, `hands/`,
                which has `hands.json` and pictures.
            backgrounds: a folder with pictures in `images/` and COCO annotations, by which those with people are
                left out.
            part: of all of them; every tenth file is held out.

        Raises:
            TrainingError: a folder is not like that.
        """
        hands = read_hands(people / "hands", part) if (people / "hands").is_dir() else []
        return cls(read_portraits(people / "portraits", part), read_backgrounds(backgrounds, part), hands)

    def __len__(self) -> int:
        """How many people there are."""
        return len(self._portraits)

    def sample(self, size_wh: tuple[int, int], random: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]]:
        """A picture uint8 (H, W, 3), BGR, and its mask uint8 (H, W), 1 where people are.

        Args:
            size_wh: what the frame is stretched to, whatever its own shape.
            random: decides everything.
        """
        portrait = self._portraits[int(random.integers(len(self._portraits)))]
        aspect = float(random.choice(_ASPECTS, p=_ASPECT_CHANCES))
        kind = random.random()
        if kind < 0.25:
            picture, mask = self.own_street(portrait, aspect, size_wh, random)
        elif kind < 0.31:
            picture, mask = self.empty(size_wh, random), np.zeros(size_wh[::-1], np.uint8)
        else:
            picture, mask = self.composed(portrait, aspect, size_wh, random, with_hands=True)
        if random.random() < 0.5:
            picture, mask = picture[:, ::-1], mask[:, ::-1]
        return as_a_camera_sees_it(np.ascontiguousarray(picture), random), np.ascontiguousarray(mask)

    def write_pairs(self, writer: PairWriter) -> None:
        """Write four webcam pictures of each person: two before their own street, two before something else."""
        for number, portrait in enumerate(self._portraits):
            for view in range(4):
                random = np.random.default_rng((_HELD_OUT_SEED, number, view))
                aspect, size_wh = ((4 / 3, (640, 480)), (16 / 9, (640, 360)))[view % 2]
                make = self.own_street if view < 2 else self.composed
                picture, mask = make(portrait, aspect, size_wh, random)
                kind = "street" if view < 2 else "composed"
                writer.write(f"{kind}-{number:04d}-{view % 2}", as_a_camera_sees_it(picture, random), mask)

    def own_street(
        self, portrait: Portrait, aspect: float, size_wh: tuple[int, int], random: np.random.Generator
    ) -> tuple[Picture, NDArray[np.uint8]]:
        """A cut of the photograph itself, with the street that it shows; the face is in the upper half."""
        height, width = portrait.mask.shape
        x, y, face_width, face_height = portrait.face_xywh
        most = min(float(height), width / aspect)
        least = min(1.9 * face_height, most)
        cut_height = min(most, max(least, face_height / random.uniform(*_FACE_SHARES)))
        cut_width = cut_height * aspect
        left = x + face_width / 2 - cut_width * random.uniform(0.3, 0.7)
        top = y + face_height / 2 - cut_height * random.uniform(0.2, 0.45)
        left, top = np.clip(left, 0, width - cut_width), np.clip(top, 0, height - cut_height)
        to_frame = np.array([[1 / cut_width, 0, -left / cut_width], [0, 1 / cut_height, -top / cut_height]])
        picture = _warped(portrait.image, to_frame, size_wh)
        mask = _warped(portrait.mask, to_frame, size_wh)
        return _shrunken(picture, size_wh), _as_labels(mask, size_wh)

    def composed(
        self,
        portrait: Portrait,
        aspect: float,
        size_wh: tuple[int, int],
        random: np.random.Generator,
        *,
        with_hands: bool = False,
    ) -> tuple[Picture, NDArray[np.uint8]]:
        """The person, and seldom a second one, before another background; at times with hands before them."""
        large_wh = (size_wh[0] * _SUPERSAMPLING, size_wh[1] * _SUPERSAMPLING)
        picture = self._behind(large_wh, random)
        mask = np.zeros(large_wh[::-1], np.uint8)
        people = [portrait]
        if random.random() < 0.12:
            people.insert(0, self._portraits[int(random.integers(len(self._portraits)))])
        for person in people:
            to_frame = _placed(person, aspect, random)
            alpha = _warped(_soft(person.mask, random), to_frame, size_wh)
            colours = _warped(lit_anew(person.image, 1.0, random), to_frame, size_wh)
            picture = over(picture, colours, alpha)
            mask = np.maximum(mask, alpha)
        while with_hands and self._hands and random.random() < 0.35:
            hand = self._hands[int(random.integers(len(self._hands)))]
            picture, mask = put_hand(picture, mask, hand, _cloth(portrait), random)
        if random.random() < 0.15:
            picture, mask = put_paper(picture, mask, random)
        return _shrunken(picture, size_wh), _as_labels(mask, size_wh)

    def empty(self, size_wh: tuple[int, int], random: np.random.Generator) -> Picture:
        """A picture uint8 (H, W, 3) without anybody."""
        if random.random() < 0.5:
            return make_room(size_wh, random)
        return _filled(self._backgrounds[int(random.integers(len(self._backgrounds)))], size_wh, random)

    def _behind(self, size_wh: tuple[int, int], random: np.random.Generator) -> Picture:
        """A background uint8 (H, W, 3): a picture, a street beside somebody, or a room."""
        kind = random.random()
        if kind < 0.25:
            return make_room(size_wh, random)
        if kind < 0.5:
            street = _beside(self._portraits[int(random.integers(len(self._portraits)))])
            if street is not None:
                return _filled(street, size_wh, random)
        return _filled(self._backgrounds[int(random.integers(len(self._backgrounds)))], size_wh, random)


def is_people_folder(folder: Path) -> bool:
    """Whether a folder holds portraits as `WebcamPeople` reads them."""
    return (folder / "portraits" / "boxes.json").is_file()


def read_portraits(folder: Path, part: Part) -> list[Portrait]:
    """The portraits of one part.

    Raises:
        TrainingError: a file is missing or damaged.
    """
    try:
        told = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))
        names = {category["id"]: category["name"] for category in told["categories"]}
        boxes: dict[int, dict[str, tuple[float, float, float, float]]] = {}
        for row in told["annotations"]:
            boxes.setdefault(row["image_id"], {})[names[row["category_id"]]] = tuple(row["bbox"])
        images = sorted(told["images"], key=lambda row: row["file_name"])
        chosen = part_of(images, part)
        return [
            Portrait(
                read_picture(folder / "images" / row["file_name"]),
                read_picture(folder / "masks" / f"{Path(row['file_name']).stem}.png", flags=cv2.IMREAD_GRAYSCALE),
                boxes[row["id"]]["face"],
                boxes[row["id"]]["person"],
            )
            for row in chosen
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{folder}: no portraits with masks and boxes.json ({error}); mend it") from error


def read_backgrounds(folder: Path, part: Part, *, with_people: bool = False) -> list[Picture]:
    """The pictures of one part; those with people in them only where that is said.

    Raises:
        TrainingError: there are none, or a file is damaged.
    """
    peopled: set[str] = set()
    try:
        for annotations in [] if with_people else sorted(folder.glob("*.json")):
            told = json.loads(annotations.read_text(encoding="utf-8"))
            people = {category["id"] for category in told["categories"] if category["name"] == PERSON}
            shown = {row["image_id"] for row in told["annotations"] if row["category_id"] in people}
            peopled |= {Path(row["file_name"]).name for row in told["images"] if row["id"] in shown}
        files = sorted(path for path in (folder / "images").rglob("*.jpg") if path.name not in peopled)
        chosen = [read_picture(path) for path in part_of(files, part)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{folder}: cannot be read as COCO pictures ({error}); mend or replace it") from error
    if not chosen:
        raise TrainingError(f"{folder}: no pictures in images/, or none without people, for the {part} part; give more")
    return chosen


def _placed(portrait: Portrait, aspect: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Where a portrait lies in a frame: a map (2, 3) from its pixels to 0..1 of the frame's width and height.

    The person goes out of the frame at the bottom, as somebody at a desk does.
    """
    x, y, face_width, face_height = portrait.face_xywh
    centre_x, centre_y = x + face_width / 2, y + face_height / 2
    face_share = random.uniform(*_FACE_SHARES)
    frame_x = float(np.clip(random.normal(0.5, 0.17), 0.0, 1.0))
    frame_y = random.uniform(min(0.45 * face_share, 0.3), 0.5)
    if random.random() < 0.2:
        # Who comes or goes is half in the picture, who leans to the camera has the head out of it.
        frame_x = random.uniform(-0.2, 1.2)
        frame_y = random.uniform(-0.4, 0.5)
    scale = face_share / max(face_height, 1.0)
    turn = math.radians(random.normal(0.0, 4.0))
    # The picture ends at the thigh: turned or small, its lower edge must not come into the frame.
    below = (portrait.mask.shape[0] - centre_y) - 0.5 * portrait.person_xywh[2] * abs(math.sin(turn))
    scale = max(scale, (1 - frame_y) / max(below, 1.0) * 1.02)
    across, down = scale / aspect, scale
    stretch = math.exp(random.normal(0.0, 0.06))
    cos, sin = math.cos(turn), math.sin(turn)
    linear = np.array([[across * stretch * cos, -across * stretch * sin], [down * sin, down * cos]])
    shift = np.array([frame_x, frame_y]) - linear @ np.array([centre_x, centre_y])
    return np.concatenate([linear, shift[:, None]], axis=1)


def _warped(picture: Picture, to_frame: NDArray[np.float64], size_wh: tuple[int, int]) -> Picture:
    """A picture in a frame, larger than that will be, black around it."""
    large_wh = (size_wh[0] * _SUPERSAMPLING, size_wh[1] * _SUPERSAMPLING)
    return np.asarray(cv2.warpAffine(picture, to_frame * np.array(large_wh)[:, None], large_wh), np.uint8)


def _shrunken(picture: Picture, size_wh: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _as_labels(mask: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    return (_shrunken(mask, size_wh) > 127).astype(np.uint8)


def _soft(mask: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A mask with a soft edge a little within, so that nothing of the old background comes along."""
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=int(random.integers(0, 3)))
    return np.asarray(cv2.GaussianBlur(inner, (0, 0), random.uniform(0.4, 1.2)), np.uint8)


def _cloth(portrait: Portrait) -> Picture:
    """A patch of what somebody wears, from below the face."""
    x, y, width, height = portrait.face_xywh
    top = min(int(y + 2 * height), portrait.mask.shape[0] - 8)
    left = max(0, min(int(x), portrait.mask.shape[1] - 8))
    return portrait.image[top : top + max(8, int(height)), left : left + max(8, int(width))]


def _beside(portrait: Portrait) -> Picture | None:
    """What a portrait shows on the wider side of its person; None where that is too little."""
    left, _, width, _ = portrait.person_xywh
    right = left + width
    if left >= portrait.mask.shape[1] - right:
        strip = portrait.image[:, : int(left)]
    else:
        strip = portrait.image[:, math.ceil(right) :]
    return strip if strip.shape[1] >= _LEAST_STRIP_PX else None


def _filled(picture: Picture, size_wh: tuple[int, int], random: np.random.Generator) -> Picture:
    """A frame uint8 (H, W, 3) full of a part of a picture, at times out of focus, lit anew."""
    width, height = size_wh
    full = min(picture.shape[1] / width, picture.shape[0] / height)
    scale = full * random.uniform(0.45, 1.0)
    cut_width, cut_height = max(1, int(width * scale)), max(1, int(height * scale))
    left = int(random.integers(0, picture.shape[1] - cut_width + 1))
    top = int(random.integers(0, picture.shape[0] - cut_height + 1))
    part = picture[top : top + cut_height, left : left + cut_width]
    if random.random() < 0.5:
        part = part[:, ::-1]
    filled = np.asarray(cv2.resize(part, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
    if random.random() < 0.35:
        filled = np.asarray(cv2.GaussianBlur(filled, (0, 0), random.uniform(1.0, 5.0)), np.uint8)
    return lit_anew(filled, 1.0, random)
