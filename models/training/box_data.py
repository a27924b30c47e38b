"""Pictures with boxes to train a detector on: COCO's layout, of which each file may label other classes.

Read once when a training begins (`models/training/detector_scenes.py`); pictures are decoded when they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.coco_annotations import read_coco
from models.evaluation.errors import DataError
from models.training.errors import TrainingError

HELD_OUT_SHARE = 0.1
HELD_OUT_HAND_SESSIONS = frozenset({
    "s_1528664299.56_", "s_5_", "s_26_", "g_20230314", "a_K", "a_Q", "a_W",
})  # fmt: skip
"""One session in seven of each kind: of the man before his webcam, a day of the gestures, three of the signs."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and what is known of it.

    Attributes:
        image: uint8 (H, W, 3) BGR.
        boxes_xyxy: float32 (N, 4), pixels.
        class_ids: int64 (N,).
        complete: bool (C,): of which classes every object in the picture has its box. Of the others there may be
            more, so nothing that is found may be called wrong.
    """

    image: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    complete: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.boxes_xyxy.shape != (len(self.class_ids), 4):
            raise ValueError(f"boxes_xyxy: expected ({len(self.class_ids)}, 4), got {self.boxes_xyxy.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class BoxPicture:
    """A picture that is still a file; the fields are those of `Scene`.

    Attributes:
        path: of the picture.
        boxes_xyxy: float32 (N, 4), pixels.
        class_ids: int64 (N,).
        complete: bool (C,).
    """

    path: Path
    boxes_xyxy: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    complete: NDArray[np.bool_]

    def read(self) -> Scene:
        """Decode it.

        Raises:
            TrainingError: it is no picture that can be read.
        """
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise TrainingError(
                f"{self.path} is no picture that can be read; fetch it again or take it out of the data"
            )
        return Scene(np.asarray(image, np.uint8), self.boxes_xyxy, self.class_ids, self.complete)


def read_boxes(annotations: Path, class_names: Sequence[str], absent: Sequence[str] = ()) -> list[BoxPicture]:
    """All pictures of a COCO file, in the order of their names.

    Args:
        annotations: the JSON file; its pictures lie in its folder or below.
        class_names: of the detector; categories of other names are passed over.
        absent: classes of which the pictures are known to show none.

    Raises:
        TrainingError: the file is in another layout, pictures are missing, or none of its categories is a class.
    """
    try:
        data = read_coco(annotations)
    except DataError as error:
        raise TrainingError(str(error)) from error
    numbers = {name: index for index, name in enumerate(class_names)}
    known = {key: numbers[name] for key, name in data.category_names.items() if name in numbers}
    if not known and not absent:
        names = ", ".join(data.category_names.values())
        raise TrainingError(f"{annotations}: its categories ({names}) are none of {', '.join(class_names)}")
    objects = data.objects()
    pictures = []
    for picture in data.pictures:
        mine = objects[picture.image_id]
        complete = np.zeros(len(class_names), np.bool_)
        complete[[*known.values(), *(numbers[name] for name in absent)]] = True
        crowd = np.zeros(len(mine.labels), np.bool_) if mine.is_crowd is None else mine.is_crowd
        # A crowd's box stands for objects that have none of their own.
        complete[[known[key] for key in mine.labels[crowd].tolist() if key in known]] = False
        sides = mine.boxes_xyxy[:, 2:] - mine.boxes_xyxy[:, :2]
        kept = np.array([key in known for key in mine.labels.tolist()], np.bool_) & ~crowd & (sides > 0).all(axis=1)
        ids = np.array([known[key] for key in mine.labels[kept].tolist()], np.int64)
        boxes = np.asarray(mine.boxes_xyxy[kept], np.float32).reshape(-1, 4)
        pictures.append(BoxPicture(picture.path, boxes, ids, complete))
    return sorted(pictures, key=lambda picture: picture.path.name)


def category_names(annotations: Path) -> tuple[str, ...]:
    """The categories of a COCO file, in its order.

    Raises:
        TrainingError: the file is in another layout.
    """
    try:
        return tuple(read_coco(annotations).category_names.values())
    except DataError as error:
        raise TrainingError(str(error)) from error


def split_last(pictures: Sequence[BoxPicture], share: float) -> tuple[list[BoxPicture], list[BoxPicture]]:
    """Those that train, and the last share of them by name, which never do."""
    cut = int(len(pictures) * (1 - share) + 1e-9)
    return list(pictures[:cut]), list(pictures[cut:])


def split_where(
    pictures: Sequence[BoxPicture], held_out: Callable[[str], bool]
) -> tuple[list[BoxPicture], list[BoxPicture]]:
    """Those that train, and those whose file names are held out."""
    parts: tuple[list[BoxPicture], list[BoxPicture]] = ([], [])
    for picture in pictures:
        parts[held_out(picture.path.name)].append(picture)
    return parts


def hand_session(file_name: str) -> str:
    """What the names of pictures taken one after the other have in common.

    `s_3_1528505750.77_pic00012.jpg` -> `s_3_1528505750.77_`; `g_IMG-20230314-WA0012_jpg.rf.0a.jpg` -> `g_20230314`;
    `a_K8_jpg.rf.0a.jpg` -> `a_K`, one person's sign.
    """
    if file_name.startswith("s_"):
        return file_name.split("pic")[0]
    if file_name.startswith("g_"):
        day = re.search(r"(20\d\d)-?(\d\d)-?(\d\d)", file_name)
        return "g_" + "".join(day.groups()) if day else file_name
    return file_name[:3]


def is_held_out_hand(file_name: str) -> bool:
    """Whether a picture of hands belongs to a session that never trains."""
    return hand_session(file_name) in HELD_OUT_HAND_SESSIONS
