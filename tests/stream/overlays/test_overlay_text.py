"""Text: Unicode, antialiased, and never wider than it may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.overlays.text import ELLIPSIS, cap_height, draw_text, fit_size, fit_text, text_width


def _render(text: str, size_px: int = 24) -> NDArray[np.uint8]:
    canvas = np.zeros((60, 300, 3), np.uint8)
    draw_text(canvas, text, 10, 20, size_px, (255, 255, 255))
    return canvas


@pytest.mark.parametrize(
    ("accented", "plain"),
    [("murciélago", "murcielago"), ("piña", "pina"), ("león", "leon"), ("pingüino", "pinguino"), ("ÁRBOL", "ARBOL")],
)
def test_accents_are_drawn(accented: str, plain: str) -> None:
    assert not np.array_equal(_render(accented), _render(plain))


# U+0378 is unassigned: no font has a glyph for it, so it shows what a missing glyph looks like.
@pytest.mark.parametrize("letter", [*"éñüóÁ¿Çßłğ", *"ЖяΩλ日한ع", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}", ELLIPSIS])
def test_letters_have_glyphs(letter: str) -> None:
    missing = _render("\u0378")
    assert missing.any()
    assert _render(letter).any()
    assert not np.array_equal(_render(letter), missing)


def test_text_is_antialiased() -> None:
    levels = np.unique(_render("Sol"))
    assert len(levels) > 20
    assert levels[-1] == 255


def test_capitals_begin_at_the_asked_row() -> None:
    rows = np.flatnonzero(_render("HXE", size_px=40).max(axis=(1, 2)) > 128)
    assert abs(rows[0] - 20) <= 2
    assert abs(rows[-1] - (20 + cap_height(40) - 1)) <= 2


def test_width_is_what_drawing_covers() -> None:
    columns = np.flatnonzero(_render("murciélago").any(axis=(0, 2)))
    assert columns[0] >= 10
    assert columns[-1] < 10 + text_width("murciélago", 24)
    assert columns[-1] > 10 + text_width("murciélago", 24) - 8


@pytest.mark.parametrize(
    ("text", "max_width_px", "expected"),
    [
        ("piña", 500, "piña"),  # there is room
        ("pin\u0303a", 500, "piña"),  # a decomposed accent is composed
        ("two\nlines\tand a tab", 500, "two lines and a tab"),  # one line stays one line
        ("bad \ud800 surrogate", 500, "bad ? surrogate"),  # a name read from a damaged file
        ("", 500, ""),
        ("cat", 0, ""),  # not even the ellipsis fits
        ("cat", -30, ""),  # a panel narrower than its own padding
    ],
)
def test_fit_text(text: str, max_width_px: int, expected: str) -> None:
    assert fit_text(text, max_width_px, 20) == expected


def test_long_text_keeps_as_many_letters_as_fit() -> None:
    shown = fit_text("abcdefghijklmnopqrstuvwxyz", 120, 20)
    kept = shown.removesuffix(ELLIPSIS)
    assert shown != kept
    assert "abcdefghijklmnopqrstuvwxyz".startswith(kept)
    one_more = "abcdefghijklmnopqrstuvwxyz"[: len(kept) + 1]
    assert text_width(shown, 20) <= 120 < text_width(one_more + ELLIPSIS, 20)


@settings(max_examples=150)
@given(text=st.text(max_size=40), max_width_px=st.integers(-5, 200), size_px=st.integers(9, 60))
def test_fitted_text_is_never_too_wide(text: str, max_width_px: int, size_px: int) -> None:
    shown = fit_text(text, max_width_px, size_px)
    assert text_width(shown, size_px) <= max(0, max_width_px)
    draw_text(np.zeros((8, 8, 3), np.uint8), shown, 1, 1, size_px, (255, 255, 255))


@pytest.mark.parametrize(
    ("max_width_px", "expected"),
    [
        (10_000, 40),  # the largest fits
        (1, 20),  # none fits
    ],
)
def test_fit_size_ends(max_width_px: int, expected: int) -> None:
    assert fit_size("aircraft carrier", max_width_px, 40, 20) == expected


def test_fit_size_is_the_largest_that_fits() -> None:
    room = text_width("aircraft carrier", 30)
    size = fit_size("aircraft carrier", room, 40, 20)
    assert text_width("aircraft carrier", size) <= room < text_width("aircraft carrier", size + 1)


def test_drawing_stays_in_the_view() -> None:
    canvas = np.zeros((40, 80, 3), np.uint8)
    draw_text(canvas[10:20, 20:50], "MMMMMMMMMM", -5, -4, 30, (255, 255, 255))
    inside = canvas[10:20, 20:50].copy()
    canvas[10:20, 20:50] = 0
    assert inside.any()
    assert not canvas.any()
