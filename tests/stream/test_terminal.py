"""What people read on the terminal."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from rich.console import Console

from stream.terminal import LineHandler, tell


@pytest.mark.parametrize(
    "line",
    [
        "a line that is longer than the terminal is wide, by far",
        # No markup, no colours, no emoji.
        "in /data/[red]/model.onnx: 'main' at 12 of 34 :smiley:",
    ],
)
def test_a_line_is_printed_as_it_is(line: str) -> None:
    printed = StringIO()
    tell(Console(file=printed, width=20, force_terminal=True), line)
    assert printed.getvalue() == line + "\n"


def test_a_warning_is_one_line_however_narrow_what_it_is_printed_to() -> None:
    printed = StringIO()
    log = logging.Logger("test")
    log.addHandler(LineHandler(Console(file=printed, width=20)))
    log.warning("%s: no model gave masks; choose one that does", "masks:out/[red]/")
    log.error("the disk is full")
    assert printed.getvalue().splitlines() == [
        "WARNING  masks:out/[red]/: no model gave masks; choose one that does",
        "ERROR    the disk is full",
    ]
