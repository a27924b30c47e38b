"""What is drawn for a depth map: the nearer, the brighter, whichever way the model counts, and a scale that says so."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import DepthMap
from stream.overlays.depth import depth_colours
from stream.overlays.drawing import draw
from stream.overlays.theme import sizes_for


def columns(*values: float, kind: Any = "metric", size_wh: tuple[int, int] = (640, 360), **fields: Any) -> DepthMap:
    """Columns of equal width, a value each."""
    width, height = size_wh
    row = np.array(values, np.float32)[np.arange(width) * len(values) // width]
    return DepthMap("depth_estimation", np.repeat(row[None], height, axis=0), kind, **fields)


def lightness(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE L*, 0..100, of a picture uint8 BGR."""
    return np.asarray(cv2.cvtColor((picture / np.float32(255)).astype(np.float32), cv2.COLOR_BGR2Lab)[..., 0])


@pytest.mark.parametrize(
    ("kind", "from_near_to_far"),
    [("metric", (0.5, 2, 4, 8, 16)), ("inverse", (90, 40, 8, 2, 1)), ("inverse", (-1, -2, -3, -4, -9))],
)
def test_nearer_is_brighter(kind: str, from_near_to_far: tuple[float, ...]) -> None:
    levels = lightness(depth_colours(columns(*from_near_to_far, kind=kind)))[0, ::128]
    assert (np.diff(levels) < 0).all()
    # Near is nearly white, and far is dark.
    assert levels[0] > 90
    assert levels[-1] < 20


def test_equal_steps_of_depth_are_equal_steps_to_the_eye() -> None:
    ramp = DepthMap("depth_estimation", np.linspace(0, 1, 1001, dtype=np.float32)[None], "inverse", (0.0, 1.0))
    steps = np.diff(lightness(depth_colours(ramp))[0, ::100])
    assert steps.min() > 0.6 * steps.mean()
    assert steps.max() < 1.4 * steps.mean()


def test_a_stray_pixel_leaves_the_others_their_colours() -> None:
    values = np.tile(np.linspace(1, 5, 200, dtype=np.float32), (100, 1))
    before = depth_colours(DepthMap("depth_estimation", values.copy(), "metric"))
    values[0, 0] = 1e6
    after = depth_colours(DepthMap("depth_estimation", values, "metric"))
    assert np.abs(after[1:].astype(int) - before[1:]).max() < 10


def test_with_a_range_of_the_stream_a_depth_keeps_its_colour() -> None:
    first = depth_colours(columns(1, 2, 3, 4, shown_range=(1.0, 4.0)))
    second = depth_colours(columns(9, 2, 3, -7, shown_range=(1.0, 4.0)))
    np.testing.assert_array_equal(first[:, 160:480], second[:, 160:480])
    np.testing.assert_array_equal(second[0, 0], first[0, -1])  # beyond the range: its end
    np.testing.assert_array_equal(second[0, -1], first[0, 0])


def test_the_picture_shows_through_and_what_is_unknown_stays_as_it_is() -> None:
    before = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    result = columns(1, np.nan, 8)
    picture = draw(before, result)
    # Below the scale.
    below = slice(120, 360)
    np.testing.assert_array_equal(picture[below, 220:420], before[below, 220:420])
    known = np.isfinite(result.values[below])
    expected = 0.15 * before[below] + 0.85 * depth_colours(result)[below]
    np.testing.assert_allclose(picture[below][known], expected[known], atol=1.01)


def test_a_map_of_nothing_draws_nothing() -> None:
    before = np.full((48, 64, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw(before, columns(np.nan, size_wh=(64, 48))), before)


@pytest.mark.parametrize("kind", ["metric", "inverse"])
def test_the_scale_goes_from_near_at_the_left_to_far_at_the_right(kind: str) -> None:
    picture = draw(np.zeros((720, 1280, 3), np.uint8), columns(1, 2, kind=kind, size_wh=(1280, 720)))
    sizes = sizes_for(1280, 720)
    left = 1280 - sizes.margin - sizes.panel_width + sizes.padding
    right = 1280 - sizes.margin - sizes.padding
    panel = lightness(picture[sizes.margin : sizes.margin + 6 * sizes.text, left:right])
    # The bar is where a row falls steadily from bright to dark.
    bars = [row for row in panel if row[5] > 85 and (np.diff(row[5:-5]) < 1).all()]
    assert len(bars) >= sizes.text - sizes.radius
    assert bars[0][5] - bars[0][-5] > 60


def scale_text(result: DepthMap, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr("stream.overlays.depth.draw_text", lambda _view, text, *_: said.append(text))
    draw(np.zeros((result.values.shape[0], result.values.shape[1], 3), np.uint8), {"glpn": result})
    return said


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (columns(0.84, 3.26), ["glpn", "near 0.8 m", "far 3.3 m"]),
        (columns(9.96, 64.5), ["glpn", "near 10.0 m", "far 64 m"]),
        (columns(1, 2, shown_range=(0.5, 12.0)), ["glpn", "near 0.5 m", "far 12 m"]),
        # Without a unit, figures would say nothing.
        (columns(0.84, 3.26, kind="inverse"), ["glpn", "near", "far"]),
    ],
)
def test_the_scale_has_figures_where_they_are_metres(
    result: DepthMap, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scale_text(result, monkeypatch) == expected


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 4), (1, 720), (16, 16), (320, 180), (721, 405), (720, 1280)])
@pytest.mark.parametrize("kind", ["metric", "inverse"])
def test_every_size_is_drawn_on(width: int, height: int, kind: str) -> None:
    before = np.full((height, width, 3), 120, np.uint8)
    values = np.linspace(1, 3, width * height, dtype=np.float32).reshape(height, width)
    picture = draw(before, DepthMap("depth_estimation", values, "metric" if kind == "metric" else "inverse"))
    assert (picture != before).any(axis=2).all()
