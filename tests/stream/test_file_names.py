"""Parts of file names: legible in any language, whole on any system, and never two alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.file_names import distinct_file_names, file_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("semáforo / piña", "semáforo-piña"),
        ("../../etc/passwd", "etc-passwd"),
        ("cam.local:8554/live", "cam.local-8554-live"),
        ("犬", "犬"),
        ("pin\N{COMBINING TILDE}a", "pi\N{LATIN SMALL LETTER N WITH TILDE}a"),  # one letter, as macOS would make it
        ("???", "stream"),
        ("", "stream"),
        ("a" * 300, "a" * 80),
        ("犬" * 300, "犬" * 26),  # three bytes each
    ],
)
def test_a_name_is_what_is_left_of_a_text(text: str, expected: str) -> None:
    assert file_name(text, "stream") == expected


@pytest.mark.parametrize(
    ("texts", "taken", "expected"),
    [
        (["cat", "dog"], [], ["cat", "dog"]),
        (
            ["traffic light", "traffic/light", "traffic-light"],
            [],
            ["traffic-light", "traffic-light-2", "traffic-light-3"],
        ),
        # One file on macOS and Windows.
        (["Person", "person"], [], ["Person", "person-2"]),
        # The name with a number is somebody's own.
        (["cat", "cat?", "cat-2"], [], ["cat", "cat-2", "cat-2-2"]),
        (["colours", "sky"], ["colours"], ["colours-2", "sky"]),
        (["", "?"], [], ["unnamed", "unnamed-2"]),
        (["a" * 100, "a" * 101], [], ["a" * 80, "a" * 72 + "-2"]),
    ],
)
def test_names_that_would_be_alike_are_numbered(texts: list[str], taken: list[str], expected: list[str]) -> None:
    assert list(distinct_file_names(texts, taken)) == expected


@given(st.lists(st.text(alphabet="aA-. 2ñ\u0303", max_size=4), max_size=8))
def test_no_two_are_alike(texts: list[str]) -> None:
    names = distinct_file_names(texts)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(texts)
    assert all(name and len(name.encode()) <= 80 for name in names)
