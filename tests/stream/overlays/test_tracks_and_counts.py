"""Tails lie where objects were; lines, zones and numbers of counters are drawn in pictures of every size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import Detections
from stream.counting import Counts, LineCount, ZoneCount
from stream.overlays.counts import Row, count_rows
from stream.overlays.drawing import Painter
from stream.overlays.theme import WARNING, class_colour
from stream.tracking import Tail

COUNTS = Counts(
    present={"gato": 1, "león": 3},
    unique={"gato": 7, "león": 5, "un perro con un nombre demasiado largo para cualquier panel": 1},
    lines={"door": LineCount((0.5, 0.0), (0.5, 1.0), 3, 1)},
    zones={"till": ZoneCount(((0.1, 0.1), (0.3, 0.1), (0.3, 0.5)), 2)},
)


def painted(width: int, height: int, tails: list[Tail], counts: dict[str, Counts]) -> NDArray[np.uint8]:
    """Boxes without area in the corner stand for the objects whose tails are drawn."""
    canvas = np.full((height, width, 3), 255, np.uint8)
    ids = np.array([tail.track_id for tail in tails], np.int64)
    boxes, scores = np.zeros((len(ids), 4), np.float32), np.zeros(len(ids), np.float32)
    followed = Detections("object_detection", boxes, scores, np.zeros(len(ids), np.int64), ("",), track_ids=ids)
    Painter().paint(canvas, {"m": followed}, tails={"m": tails}, counts=counts)
    return canvas


def is_coloured(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray((picture == np.array(colour, np.uint8)).all(axis=2))


# At 10, 30 and 60 frames a second, a second of way.
@pytest.mark.parametrize("step", [20, 7, 3])
def test_a_tail_lies_where_its_object_was_and_is_thicker_at_its_end(step: int) -> None:
    points = np.array([[x, 100] for x in range(300, 99, -step)][::-1], np.float32)
    picture = painted(640, 360, [Tail(1, 3, points)], {})
    assert is_coloured(picture, class_colour(3)).any()
    marked = np.asarray((picture < 200).any(axis=2))
    marked[:70] = False  # the label of the object itself
    rows, columns = np.nonzero(marked)
    assert (columns.min(), columns.max()) == (pytest.approx(100, abs=15), pytest.approx(300, abs=3))
    assert abs(int(np.median(rows)) - 100) <= 1
    assert marked[:, 280].sum() > marked[:, 120].sum() > 0


def test_a_tail_of_one_point_or_outside_the_picture_does_no_harm() -> None:
    ways = [np.array([[5, 5]], np.float32), np.array([[-900, 5], [9000, 70]], np.float32)]
    assert painted(64, 48, [Tail(index, 0, way) for index, way in enumerate(ways)], {}).shape == (48, 64, 3)


def test_lines_and_zones_lie_at_their_share_of_the_picture() -> None:
    marked = is_coloured(painted(1000, 600, [], {"m": COUNTS}), WARNING)
    assert marked[330:, 499:502].any(axis=1).all()
    # The right edge of the zone; its name lies at its first corner.
    assert marked[80:290, 299:301].any(axis=1).all()
    # The arrow points to the side that counts as in: the picture's left, for a line that runs down.
    beside = marked[280:320]
    assert beside[:, 470:495].any()
    assert not beside[:, 510:560].any()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (
            COUNTS,
            [
                Row("door", "in 3  out 1"),
                Row("till", "2 inside"),
                Row("gato", "1 now, 7 in all"),
                Row("león", "3 now, 5 in all"),
                Row("un perro con un nombre demasiado largo para cualquier panel", "0 now, 1 in all"),
            ],
        ),
        # Without tracking nobody knows how many there were in all.
        (Counts({"gato": 2, "león": 4}, None, {}, {}), [Row("león", "4"), Row("gato", "2")]),
        (Counts({}, {}, {}, {}), []),
    ],
)
def test_the_panel_says_what_was_counted(counts: Counts, expected: list[Row]) -> None:
    assert list(count_rows(counts)) == expected


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (1, 720), (720, 1), (16, 16), (161, 121), (720, 1280), (3840, 2160)]
)
def test_every_size_is_drawn_on(width: int, height: int) -> None:
    way = np.array([[0, 0], [width, height]], np.float32)
    picture = painted(width, height, [Tail(1, 0, way)], {"m": COUNTS, "another": Counts({}, {}, {}, {})})
    assert picture.shape == (height, width, 3)
    assert (picture != 255).any()
