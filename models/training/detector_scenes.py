"""What the webcam detector is shown: pages, people, hands, sheets held up before people, photographs without any.

Each data set labels some of the classes; every scene says which (`Scene.complete`). A scene is fixed by seed and index,
so that a training can go on where it stopped, with any number of loading processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.box_data import (
    HELD_OUT_SHARE,
    BoxPicture,
    Scene,
    is_held_out_hand,
    read_boxes,
    split_last,
    split_where,
)
from models.training.page_camera import noise_bank, photograph
from models.training.page_drawings import DrawingBook
from models.training.pages import Page, PageMaker, plain_desk, sheet_light
from models.training.quickdraw_data import Part
from models.training.scene_cuts import CutRange, cut

_Thing = TypeVar("_Thing")

CLASS_NAMES = ("face", "hand", "drawing")
_FACE, _HAND, _DRAWING = range(3)
_COCO_HELD_OUT = 28
"""Of the 128 photographs: what false drawings are counted on is never seen in training, not even as a backdrop."""
_HIDDEN, _UNTOUCHED = 0.7, 0.3
_FACES = CutRange(near=0.3, far=1.6, far_chance=0.15)
_PORTRAITS = CutRange(near=0.35, far=1.8, far_chance=0.25)
_HANDS = CutRange(near=0.55, far=3.5, far_chance=0.6, quarter_turn_chance=0.15)
_PHOTOGRAPHS = CutRange(near=0.4, far=1.2, far_chance=0.1)


@dataclass(frozen=True, slots=True)
class PeopleData:
    """The photographs, those that train and those that never do.

    Attributes:
        faces: all faces labelled; hands unknown.
        portraits: one face labelled, of the person whose mask is in `masks`; bystanders have none.
        hands: all hands labelled; faces unknown.
        empty: photographs without drawings; faces and hands unknown.
        unpeopled: those of `empty` without persons.
        held_out: the same five by name, never to train on.
    """

    faces: Sequence[BoxPicture]
    portraits: Sequence[BoxPicture]
    hands: Sequence[BoxPicture]
    empty: Sequence[BoxPicture]
    unpeopled: Sequence[BoxPicture]
    held_out: Mapping[str, Sequence[BoxPicture]] = field(repr=False)


def read_people(folder: Path) -> PeopleData:
    """Read `people/` and `coco/` of the data folder.

    Raises:
        TrainingError: a file of them is missing or in another layout.
    """
    faces, far_faces = split_last(
        read_boxes(folder / "people/faces/faces.json", CLASS_NAMES, ("drawing",)), HELD_OUT_SHARE
    )
    portraits, far_portraits = split_last(
        read_boxes(folder / "people/portraits/boxes.json", CLASS_NAMES, ("drawing",)), HELD_OUT_SHARE
    )
    hands, far_hands = split_where(
        read_boxes(folder / "people/hands/hands.json", CLASS_NAMES, ("drawing",)), is_held_out_hand
    )
    coco = folder / "coco/instances_boxes_train2017.json"
    photographs = read_boxes(coco, CLASS_NAMES, ("drawing",))
    peopled = {picture.path for picture in read_boxes(coco, ("person",)) if len(picture.boxes_xyxy)}
    empty, far_empty = photographs[:-_COCO_HELD_OUT], photographs[-_COCO_HELD_OUT:]
    unpeopled = [picture for picture in empty if picture.path not in peopled]
    held_out = {"faces": far_faces, "portraits": far_portraits, "hands": far_hands, "photographs": far_empty}
    return PeopleData(faces, portraits, hands, empty, unpeopled, held_out)


class WebcamScenes:
    """Makes the scenes of a training, one after the other; `scene(i)` is the same whoever asks."""

    def __init__(self, data: Path, size_wh: tuple[int, int], seed: int) -> None:
        """Read everything below `data`: `quickdraw`, `people`, `coco`, `drawings/diagrams`.

        Raises:
            TrainingError: something of it is missing.
        """
        self._seed, self._size_wh = seed, size_wh
        self._people = read_people(data)
        self._backdrops = [picture.read().image for picture in self._people.empty]
        self._unpeopled = [picture.read().image for picture in self._people.unpeopled]
        self._makers = page_makers(data, size_wh, "training", self._backdrops)
        self._noise = noise_bank(1)
        kinds: list[tuple[float, Callable[[np.random.Generator, int], Scene]]] = [
            (0.40, self._page),
            (0.14, self._held_up),
            (0.16, lambda random, _: self._photographed(self._faces(random), random)),
            (0.10, lambda random, _: self._photographed(self._portraits(random), random)),
            (0.15, lambda random, _: self._photographed(self._hands(random), random)),
            (0.05, lambda random, _: self._photographed(self._empty(random), random)),
        ]
        self._chances = np.cumsum([chance for chance, _ in kinds])
        self._kinds = [make for _, make in kinds]

    def scene(self, index: int) -> Scene:
        """The scene of this number, at the size of the network's input."""
        random = np.random.default_rng((self._seed, index, 1))
        kind = int(np.searchsorted(self._chances, random.random() * self._chances[-1], side="right"))
        return self._kinds[min(kind, len(self._kinds) - 1)](random, index)

    def _page(self, random: np.random.Generator, index: int) -> Scene:
        maker = self._makers[int(random.integers(len(self._makers)))]
        page = maker.make(self._seed, index)
        return _resized(as_scene(page), self._size_wh)

    def _held_up(self, random: np.random.Generator, index: int) -> Scene:
        """A sheet before a person: both are labelled, except what the sheet hides."""
        behind = (self._portraits, self._portraits, self._faces, self._hands)[int(random.integers(4))](random)
        maker = self._makers[0]
        page = maker.make(self._seed, index, backdrop=behind.image)
        before = as_scene(page)
        kept, complete = _still_seen(behind, page.covered)
        complete[_HAND] &= not page.reached_into
        complete[_DRAWING] = True
        boxes = np.concatenate([behind.boxes_xyxy[kept], before.boxes_xyxy])
        return Scene(before.image, boxes, np.concatenate([behind.class_ids[kept], before.class_ids]), complete)

    def _faces(self, random: np.random.Generator) -> Scene:
        return self._cut(_any(self._people.faces, random).read(), _FACES, random)

    def _hands(self, random: np.random.Generator) -> Scene:
        return self._cut(_any(self._people.hands, random).read(), _HANDS, random)

    def _empty(self, random: np.random.Generator) -> Scene:
        return self._cut(_any(self._people.empty, random).read(), _PHOTOGRAPHS, random)

    def _portraits(self, random: np.random.Generator) -> Scene:
        """A person where they stood, among bystanders, or cut out and set before another place, alone."""
        picture = _any(self._people.portraits, random)
        scene = picture.read()
        complete = scene.complete.copy()
        complete[_FACE] = False
        mask = None if random.random() < 0.4 else _mask_of(picture.path, scene.image)
        image = scene.image
        if mask is not None:
            place = _any(self._unpeopled, random)
            height, width = image.shape[:2]
            behind = cv2.resize(place, (width, height), interpolation=cv2.INTER_AREA)
            share = cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32)[:, :, None] / 255
            image = np.asarray(image * share + behind * (1 - share), np.uint8)
            complete[_FACE] = True
        return self._cut(Scene(image, scene.boxes_xyxy, scene.class_ids, complete), _PORTRAITS, random)

    def _cut(self, scene: Scene, how: CutRange, random: np.random.Generator) -> Scene:
        if random.random() < 0.5:
            margin = cv2.resize(_any(self._unpeopled, random), self._size_wh, interpolation=cv2.INTER_AREA)
        else:
            margin = plain_desk(self._size_wh, random)
        return cut(scene, self._size_wh, how, np.asarray(margin, np.uint8), random)

    def _photographed(self, scene: Scene, random: np.random.Generator) -> Scene:
        image = photograph(scene.image, random, self._noise, strength=0.8)
        return Scene(image, scene.boxes_xyxy, scene.class_ids, scene.complete)


def held_out_backdrops(data: Path) -> list[NDArray[np.uint8]]:
    """Photographs that no training page lies on, uint8 (h, w, 3) BGR."""
    return [picture.read().image for picture in read_people(data).held_out["photographs"]]


def page_makers(
    data: Path,
    size_wh: tuple[int, int],
    part: Part,
    backdrops: Sequence[NDArray[np.uint8]],
    categories: Sequence[str] | None = None,
) -> list[PageMaker]:
    """Page makers of several proportions, as cameras have them; all are shown to the network at one size."""
    book = DrawingBook(data / "quickdraw", part, categories)
    photos = (cv2.imread(str(path)) for path in sorted((data / "drawings/diagrams").glob("*.jpg")))
    lights = [sheet_light(np.asarray(photo, np.uint8)) for photo in photos if photo is not None]
    height = size_wh[1]
    wide = [(round(height * aspect / 2) * 2, height) for aspect in (4 / 3, 16 / 9, 1.0)]
    return [PageMaker(book, size, backdrops, lights) for size in (size_wh, *wide)]


def as_scene(page: Page) -> Scene:
    """A page for the detector: all drawings are labelled; faces and hands unless a photograph may show some."""
    complete = np.array([not page.photographed, not (page.photographed or page.reached_into), True])
    return Scene(page.image, page.boxes_xyxy, np.full(len(page.boxes_xyxy), _DRAWING, np.int64), complete)


def _still_seen(behind: Scene, covered: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which objects a sheet leaves to be seen, bool (N,), and which classes stay complete, bool (C,).

    What is half hidden is neither there nor away: it loses its box, and nobody is blamed for finding it.
    """
    kept = np.ones(len(behind.class_ids), np.bool_)
    complete = behind.complete.copy()
    for index, box in enumerate(np.round(behind.boxes_xyxy).astype(int)):
        hidden = float(covered[box[1] : box[3], box[0] : box[2]].mean()) if (box[2:] > box[:2]).all() else 1.0
        kept[index] = hidden <= _UNTOUCHED
        if _UNTOUCHED < hidden < _HIDDEN:
            complete[behind.class_ids[index]] = False
    return kept, complete


def _resized(scene: Scene, size_wh: tuple[int, int]) -> Scene:
    height, width = scene.image.shape[:2]
    if (width, height) == size_wh:
        return scene
    image = np.asarray(cv2.resize(scene.image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([size_wh[0] / width, size_wh[1] / height] * 2, np.float32)
    return Scene(image, scene.boxes_xyxy * scale, scene.class_ids, scene.complete)


def _mask_of(path: Path, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    mask = cv2.imread(str(path.parent.parent / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(mask, np.uint8) if mask is not None and mask.shape == image.shape[:2] else None


def _any(things: Sequence[_Thing], random: np.random.Generator) -> _Thing:
    return things[int(random.integers(len(things)))]
