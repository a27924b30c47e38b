"""What people read on the terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from stream.terminal import tell


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
