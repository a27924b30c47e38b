"""A classifier as a detector: where its window goes, and what is left of what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import load_model
from models.errors import ModelError
from models.sliding_window import Glimpse, SlidingWindow, WindowSpec


@pytest.mark.parametrize(
    ("spec", "size_wh", "places"),
    [
        # it fits exactly
        (WindowSpec(4, 2), (8, 4), [(0, 0), (2, 0), (4, 0)]),
        # the last place is at the edge, though the stride does not lead there
        (WindowSpec(4, 3), (9, 4), [(0, 0), (3, 0), (5, 0)]),
        # row by row
        (WindowSpec(4, 4), (8, 8), [(0, 0), (4, 0), (0, 4), (4, 4)]),
        # a stride beyond the picture
        (WindowSpec(4, 100), (6, 4), [(0, 0), (2, 0)]),
        # a picture of one pixel
        (WindowSpec(), (1, 1), [(0, 0)]),
        # half of the shorter side, and a quarter of that: 4 and 1
        (WindowSpec(), (9, 8), [(x, y) for y in range(5) for x in range(6)]),
    ],
)
def test_places(spec: WindowSpec, size_wh: tuple[int, int], places: list[tuple[int, int]]) -> None:
    assert [box[:2] for box in spec.windows(size_wh)] == places


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 50), (640, 480), (97, 31)])
def test_every_pixel_is_looked_at_and_no_other(size_wh: tuple[int, int]) -> None:
    seen = np.zeros(size_wh[::-1], bool)
    for left, top, right, bottom in WindowSpec(30, 17, (1.0, 2.5, 0.4)).windows(size_wh):
        assert 0 <= left < right <= size_wh[0]
        assert 0 <= top < bottom <= size_wh[1]
        seen[top:bottom, left:right] = True
    assert seen.all()


def test_scales_cut_to_one_size_are_swept_once() -> None:
    assert WindowSpec(50, 25, (1.0, 2.0, 9.0)).windows((50, 50)) == [(0, 0, 50, 50)]


@pytest.mark.parametrize(
    ("spec", "size_wh", "stride", "count", "enough"),
    [
        # 1761 x 921 places; with 9, 197 x 104 = 20,488, with 10, 177 x 93 = 16,461
        (WindowSpec(160, 1), (1920, 1080), 1, 1_621_881, 10),
        # 401 x 241; with 3, 135 x 81 = 10,935, with 2, 201 x 121 = 24,321
        (WindowSpec(None, 1), (640, 480), 1, 96_641, 3),
        # The small scale is what makes them many: a window of 1 that moves by 1, beside 2 x 2 large ones.
        (WindowSpec(100, 50, (1.0, 0.01)), (150, 150), 50, 22_504, 150),
        # A window of one pixel moves by one unless told otherwise.
        (WindowSpec(1), (200, 200), 1, 40_000, 2),
    ],
)
def test_more_windows_than_anybody_waits_for_are_refused(
    spec: WindowSpec, size_wh: tuple[int, int], stride: int, count: int, enough: int
) -> None:
    with pytest.raises(ModelError) as caught:
        spec.windows(size_wh)
    width, height = size_wh
    assert str(caught.value) == (
        f"stride: {stride} px makes {count:,} windows of a picture of {width}x{height}, more than 20,000; "
        f"give {enough} or more"
    )
    assert len(replace(spec, stride_px=enough).windows(size_wh)) <= 20_000
    with pytest.raises(ModelError, match="stride"):
        replace(spec, stride_px=enough - 1).windows(size_wh)


def test_each_window_is_shown_as_it_is(make_package: Callable[..., Path]) -> None:
    image = np.zeros((4, 12, 3), np.uint8)
    image[:, 4:8] = 255
    detector = SlidingWindow(load_model(make_package(), device="cpu"), WindowSpec(4, 4, threshold=0.6))
    glimpses = list(detector.glimpses(image))
    assert [(one.box_xyxy, one.class_id) for one in glimpses] == [
        ((0, 0, 4, 4), 1),
        ((4, 0, 8, 4), 0),
        ((8, 0, 12, 4), 1),
    ]
    # softmax of 1 and -1
    assert [one.score for one in glimpses] == pytest.approx([0.8808] * 3, abs=1e-4)
    found = detector(image)
    assert sorted(zip(found.labels, found.boxes_xyxy[:, 0].tolist(), strict=True)) == [
        ("bright", 4.0),
        ("dark", 0.0),
        ("dark", 8.0),
    ]


def test_the_likeliest_of_overlapping_hits_is_left(make_package: Callable[..., Path]) -> None:
    model = load_model(make_package(), device="cpu")
    glimpses = [
        Glimpse((0, 0, 10, 10), 0, 0.7),
        # overlaps the first by 80 of 120, and is likelier
        Glimpse((2, 0, 12, 10), 0, 0.9),
        # the same place, another class
        Glimpse((2, 0, 12, 10), 1, 0.8),
        # apart
        Glimpse((40, 0, 50, 10), 1, 0.6),
        # not sure enough, and nothing said
        Glimpse((60, 0, 70, 10), 1, 0.49),
        Glimpse((80, 0, 90, 10), None, 0.0),
    ]
    found = SlidingWindow(model, WindowSpec(10, 2)).detections(glimpses)
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    each_class = SlidingWindow(model, WindowSpec(10, 2, class_agnostic_nms=False)).detections(glimpses)
    assert each_class.scores.tolist() == pytest.approx([0.9, 0.8, 0.6])
    all_hits = SlidingWindow(model, WindowSpec(10, 2)).detections(glimpses, suppressed=False)
    assert all_hits.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert len(SlidingWindow(model).detections([])) == 0


def test_four_drawings_on_a_page(test_data: Path) -> None:
    page = np.full((480, 640, 3), 245, np.uint8)
    middles = {"cat": (135, 125), "star": (470, 130), "apple": (305, 355), "house": (515, 355)}
    for (name, (x, y)), index in zip(middles.items(), (3, 5, 2, 4), strict=True):
        drawing = np.load(test_data / "quickdraw" / "bitmaps" / f"{name}.npz")["bitmaps"][index].reshape(28, 28)
        ink = cv2.resize(drawing, (140, 140), interpolation=cv2.INTER_CUBIC)[..., None] / 255
        view = page[y - 70 : y + 70, x - 70 : x + 70]
        view[:] = (view * (1 - ink)).astype(np.uint8)
    detector = SlidingWindow(load_model("quickdraw-32", device="cpu"), WindowSpec(threshold=0.8))
    found = detector(page)
    for name, (x, y) in middles.items():
        boxes = found.boxes_xyxy[[label == name for label in found.labels]]
        assert any(box[0] < x < box[2] and box[1] < y < box[3] for box in boxes), name
    assert len(found) <= 6


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"window_px": 0}, "window"),
        ({"stride_px": -1}, "stride"),
        ({"scales": ()}, "scales"),
        ({"scales": (1.0, float("nan"))}, "scales"),
        ({"threshold": 1.5}, "threshold"),
        ({"nms_iou": 0.0}, "nms-iou"),
    ],
)
def test_values_without_sense_are_named(values: dict[str, float], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        WindowSpec(**values)  # type: ignore[arg-type]


def test_a_detector_needs_no_window(test_data: Path) -> None:
    with pytest.raises(ModelError, match="needs a classifier"):
        SlidingWindow(load_model(test_data / "weights" / "yolov8n_int8.onnx", device="cpu"))
