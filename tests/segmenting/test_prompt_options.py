"""What the command line says of objects."""

from __future__ import annotations

import pytest

from models.errors import MirillaError
from models.prompts import ObjectPrompt
from stream.segmenting.prompt_options import parse_prompts


@pytest.mark.parametrize(
    ("points", "negatives", "boxes", "objects", "expected"),
    [
        (["1,2"], [], [], [], [ObjectPrompt(((1, 2),))]),
        # All bare options speak of one object; spaces and fractions are fine.
        (
            ["1,2", " 3.5 , 4 "],
            ["5,6"],
            ["0,0,9,8"],
            [],
            [ObjectPrompt(((1, 2), (3.5, 4)), ((5, 6),), (0, 0, 9, 8))],
        ),
        # Every --object is one more.
        (
            [],
            [],
            ["0,0,9,8"],
            ["point:1,2 negative:3,4  point:5,6", "box:1,1,2,2"],
            [
                ObjectPrompt(box_xyxy=(0, 0, 9, 8)),
                ObjectPrompt(((1, 2), (5, 6)), ((3, 4),)),
                ObjectPrompt(box_xyxy=(1, 1, 2, 2)),
            ],
        ),
        ([], [], [], [], []),
    ],
)
def test_objects(
    points: list[str], negatives: list[str], boxes: list[str], objects: list[str], expected: list[ObjectPrompt]
) -> None:
    assert parse_prompts(points, negatives, boxes, objects) == expected


@pytest.mark.parametrize(
    ("points", "negatives", "boxes", "objects", "message"),
    [
        (["1"], [], [], [], "--point: expected X,Y in pixels, got '1'"),
        (["1,2,3"], [], [], [], "--point: expected X,Y in pixels"),
        (["a,b"], [], [], [], "--point: expected X,Y in pixels, got 'a,b'"),
        ([], ["1,1"], [], [], "points beside it do not do"),
        ([], [], ["5,5,5,9"], [], "--box: expected x1,y1,x2,y2 with x1 below x2"),
        ([], [], ["1,1,2,2", "3,3,4,4"], [], "--box: an object has one box, got 2"),
        ([], [], [], ["foo:1,2"], "--object: 'foo:1,2' is none of point:X,Y negative:X,Y box:X1,Y1,X2,Y2"),
        ([], [], [], ["point:1;2"], "--object: point: expected X,Y in pixels, got '1;2'"),
        ([], [], [], ["  "], "an object needs a point on it or a box around it"),
    ],
)
def test_what_is_said_of_nonsense(
    points: list[str], negatives: list[str], boxes: list[str], objects: list[str], message: str
) -> None:
    with pytest.raises(MirillaError, match=message):
        parse_prompts(points, negatives, boxes, objects)
