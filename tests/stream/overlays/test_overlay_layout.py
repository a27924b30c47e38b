"""Places and looks: panels never meet, sizes follow the picture, colours can be read."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.overlays.layout import Layout, Rect
from stream.overlays.theme import (
    DARK,
    PALETTE,
    PANEL_ALPHA,
    PANEL_LEVEL,
    QUIET_TEXT,
    TEXT,
    WARNING,
    Colour,
    class_colour,
    sizes_for,
)


def _meet(a: Rect, b: Rect) -> bool:
    beside = a.left + a.width <= b.left or b.left + b.width <= a.left
    above = a.top + a.height <= b.top or b.top + b.height <= a.top
    return not (beside or above)


@settings(max_examples=200)
@given(
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
    wishes=st.lists(
        st.tuples(
            st.booleans(),
            st.integers(1, 600),
            st.lists(st.integers(1, 600), min_size=1, max_size=4).map(lambda heights: sorted(heights, reverse=True)),
        ),
        max_size=8,
    ),
)
def test_places_lie_inside_and_never_meet(width: int, height: int, wishes: list[tuple[bool, int, list[int]]]) -> None:
    layout = Layout(width, height)
    places = [
        layout.place_at_bottom(wide, high[0]) if at_bottom else layout.place_at_side(wide, high)
        for at_bottom, wide, high in wishes
    ]
    given_away = [place for place in places if place is not None]
    for place in given_away:
        assert place.left > 0
        assert place.top > 0
        assert place.left + place.width < width
        assert place.top + place.height < height
    assert not any(_meet(a, b) for a, b in combinations(given_away, 2))


def test_panels_stack_down_the_right_side_then_begin_a_column() -> None:
    layout = Layout(1280, 720)
    margin = layout.sizes.margin
    first = layout.place_at_side(300, [320])
    second = layout.place_at_side(300, [320])
    third = layout.place_at_side(300, [320])
    assert first == Rect(1280 - margin - 300, margin, 300, 320)
    assert second == Rect(1280 - margin - 300, margin + 320 + margin, 300, 320)
    assert third == Rect(1280 - 2 * margin - 600, margin, 300, 320)


def test_a_panel_takes_the_best_height_that_fits() -> None:
    layout = Layout(320, 240)
    place = layout.place_at_side(100, [500, 300, 200, 100])
    assert place is not None
    assert place.height == 200


def test_a_full_picture_has_no_place() -> None:
    layout = Layout(320, 240)
    assert layout.place_at_side(290, [200]) is not None
    assert layout.place_at_side(290, [200, 100]) is None
    assert layout.place_at_bottom(290, 100) is None


@pytest.mark.parametrize(
    ("width", "height", "text_px"),
    [
        (1, 1, 12),  # never below what can be read
        (640, 360, 12),
        (1280, 720, 19),  # 0.027 of 720
        (3840, 2160, 58),
        (720, 1280, 16),  # portrait: by its width
        (7680, 100, 12),  # a strip: by its height
    ],
)
def test_text_follows_the_picture(width: int, height: int, text_px: int) -> None:
    assert sizes_for(width, height).text == text_px


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 360), (1280, 720), (3840, 2160), (720, 1280)])
def test_a_panel_takes_at_most_six_tenths_of_the_width(width: int, height: int) -> None:
    assert sizes_for(width, height).panel_width <= 0.6 * width


def _luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance of a BGR colour, WCAG 2.1."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]


def _contrast(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Contrast ratio, WCAG 2.1: 4.5 is wanted of text, 3 of graphics and of large text."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [0, 255])
def test_text_and_bars_can_be_read_on_a_panel_over_any_ground(ground: int) -> None:
    level = ground * (1 - PANEL_ALPHA) + PANEL_LEVEL * PANEL_ALPHA
    panel = (level, level, level)
    assert all(_contrast(text, panel) >= 4.5 for text in (TEXT, QUIET_TEXT))
    assert all(_contrast(colour, panel) >= 3 for colour in (*PALETTE, WARNING))


@pytest.mark.parametrize("colour", PALETTE)
def test_dark_text_can_be_read_on_a_tag(colour: Colour) -> None:
    assert _contrast(DARK, colour) >= 4.5


def test_neighbouring_classes_have_different_colours() -> None:
    colours = [class_colour(class_id) for class_id in range(345)]
    assert all(a != b for a, b in pairwise(colours))
    assert len(set(colours)) >= 10
