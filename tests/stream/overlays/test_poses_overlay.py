"""What is drawn for poses: limbs between joints in the colours of the body's sides, guesses faint, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.results import Detections, Poses
from models.skeletons import COCO_17
from stream.overlays.drawing import Painter, draw
from stream.overlays.theme import PALETTE, class_colour
from stream.tracking import Tail

LEFT, RIGHT, CENTRE = PALETTE[:3]
NAMES = ("Nose", "L_Shoulder", "R_Shoulder", "L_Wrist", "R_Wrist")
SKELETON = ((0, 1), (1, 2), (1, 3), (2, 4))
# A frame of 640x360: shoulders at x 400 and 200, wrists below them.
POINTS = [[300, 40], [400, 120], [200, 120], [400, 300], [200, 300]]


def poses(points: Any, scores: Any = None, boxes: Any = None, **objects: Any) -> Poses:
    keypoints = np.array([points] if np.ndim(points) == 2 else points, np.float32)
    count, names = keypoints.shape[:2]
    boxes_xyxy = np.array([[100, 20, 500, 340]] * count if boxes is None else boxes, np.float32).reshape(-1, 4)
    people = Detections(
        "object_detection",
        boxes_xyxy,
        np.linspace(0.9, 0.5, count).astype(np.float32),
        np.zeros(count, np.int64),
        ("person",),
        **objects,
    )
    heights = np.full((count, names), 0.9) if scores is None else np.broadcast_to(scores, (count, names))
    skeleton = SKELETON if names == len(NAMES) else COCO_17
    keypoint_names = NAMES if names == len(NAMES) else tuple(f"L_{index}" for index in range(names))
    return Poses("keypoint_detection", people, keypoints, heights.astype(np.float32), keypoint_names, skeleton, 0.3)


def plain(width: int, height: int, level: int = 255) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def is_coloured(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray((picture == np.array(colour, np.uint8)).all(axis=2))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_limbs_lie_between_joints_in_the_colour_of_their_side(level: int) -> None:
    picture = draw(plain(640, 360, level), poses(POINTS))
    # The arms, the line between the shoulders, and from the nose to the left shoulder; between joints.
    assert is_coloured(picture, LEFT)[140:280, 400].all()
    assert is_coloured(picture, RIGHT)[140:280, 200].all()
    assert is_coloured(picture, CENTRE)[120, 220:380].all()
    assert is_coloured(picture, LEFT)[80, 350]
    assert is_coloured(picture, CENTRE)[40, 300]
    # There is no neck, and nothing below the wrists or outside.
    assert (picture[80, 250] == level).all()
    assert (picture[315:] == level).all()
    assert (picture[:, :185] == level).all()
    assert (picture[:, 415:] == level).all()


@pytest.mark.parametrize(
    ("score", "is_drawn"),
    [
        (0.9, "whole"),
        (0.3, "whole"),
        (0.2, "faint"),
        (0.1, "absent"),  # less than half as likely as what counts
    ],
)
def test_guesses_are_faint(score: float, is_drawn: str) -> None:
    picture = draw(plain(640, 360), poses(POINTS, [0.9, 0.9, 0.9, score, 0.9]))
    limb = picture[200, 400].astype(int)
    if is_drawn == "whole":
        assert tuple(limb) == LEFT
    elif is_drawn == "faint":
        # About a third of the way from white to the colour.
        np.testing.assert_allclose(limb, 255 + 0.35 * (np.array(LEFT) - 255), atol=2)
    else:
        assert (picture[200:, 300:] == 255).all()
    # The other arm is as it was.
    assert tuple(picture[200, 200].tolist()) == RIGHT


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (3840, 2160), (64, 48), (3, 200), (1, 1)])
def test_skeletons_follow_the_size_of_the_picture(width: int, height: int) -> None:
    share = np.array([width / 640, height / 360])
    picture = draw(plain(width, height), poses(np.array(POINTS) * share, boxes=[[0, 0, width, height]]))
    assert picture.shape == (height, width, 3)
    if min(width, height) >= 48:
        x, y = np.rint(np.array(POINTS[0]) * share).astype(int)
        assert is_coloured(picture, CENTRE)[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any()


def test_lines_are_as_thick_as_the_person_is_near() -> None:
    thick = []
    for scale in (3.0, 0.2):
        points = np.array(POINTS) * scale
        picture = draw(plain(1920, 1080), poses(points, boxes=[np.array([100, 20, 500, 340]) * scale]))
        row = round(200 * scale)
        arm = round(400 * scale)
        thick.append(int((picture[row, arm - 15 : arm + 16] < 255).any(axis=1).sum()))
    assert thick[0] >= 2 * thick[1] > 0


def test_what_is_cut_off_leads_to_the_edge_and_no_further() -> None:
    # The right arm hangs below the picture; one end of the other is far away, which no body is.
    points = [[300, 40], [400, 120], [200, 120], [40000, 300], [200, 700]]
    picture = draw(plain(640, 360), poses(points))
    assert is_coloured(picture, RIGHT)[140:, 200].all()
    assert (picture[140:, 210:] == 255).all()


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    points=st.lists(
        st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32)), min_size=17, max_size=17
    ),
    scores=st.lists(st.floats(0, 1, width=32), min_size=17, max_size=17),
)
def test_no_pose_breaks_a_picture(
    width: int, height: int, points: list[tuple[float, float]], scores: list[float]
) -> None:
    found = poses(points, scores, boxes=[[0, 0, width, height]], track_ids=np.array([1234567]))
    assert draw(plain(width, height), found).shape == (height, width, 3)


def test_nobody_changes_nothing() -> None:
    assert (draw(plain(64, 48), poses(np.zeros((0, 17, 2)))) == 255).all()


def test_the_likeliest_person_lies_on_top() -> None:
    first, second = np.array(POINTS), np.array(POINTS)[:, ::-1] * np.array([640 / 360, 360 / 640])
    together = draw(plain(640, 360), poses(np.stack([first, second])))
    alone = draw(plain(640, 360), poses(first))
    for colour in (LEFT, RIGHT, CENTRE):
        drawn = is_coloured(alone, colour)
        assert is_coloured(together, colour)[drawn].all()


def test_people_who_are_tracked_have_their_ids_and_tails() -> None:
    followed = poses(POINTS, track_ids=np.array([7]))
    canvas = plain(640, 360)
    way = np.array([[560, y] for y in range(100, 300, 20)], np.float32)
    Painter().paint(canvas, {"m": followed}, tails={"m": [Tail(7, 3, way), Tail(8, 4, way - 20)]})
    assert is_coloured(canvas, class_colour(3)).any()
    # The tail of someone who is not there is not drawn.
    assert not is_coloured(canvas, class_colour(4)).any()
    unnamed = draw(plain(640, 360), poses(POINTS))
    named = draw(plain(640, 360), followed)
    assert (named[:20] != unnamed[:20]).any()
