"""What a person sees of a run with several streams."""

from __future__ import annotations

import re
from io import StringIO

from rich.console import Console

from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.run_view import TerminalView
from stream.running_stream import StreamOutcome
from tests.stream.doubles import ScriptedSink, ScriptedSource


def test_a_stream_that_ends_leaves_its_bar_and_table_and_the_bars_of_others_go_on_below() -> None:
    screen = StringIO()
    console = Console(file=screen, width=100, force_terminal=True)
    view = TerminalView(console, console)
    shows = {
        name: view.following(name, Pipeline(ScriptedSource(9), [], [ScriptedSink()])) for name in ("left", "right")
    }
    for name in ("left", "right"):
        view.finished(StreamOutcome(name, Metrics().report({}), []))
        if name == "left":
            screen.seek(0)
            screen.truncate()
            shows["right"]()
    # Bars are drawn over; what is below the table of the first is the other's alone.
    seen = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "left" not in seen
    assert seen.index("right ") < seen.index("right: done")
    assert "0/9" in seen


def test_what_stands_when_a_stream_ends_is_no_half_way_bar_of_another() -> None:
    screen = StringIO()
    console = Console(file=screen, width=100, force_terminal=True)
    view = TerminalView(console, console)
    for name in ("left", "right"):
        view.following(name, Pipeline(ScriptedSource(9), [], [ScriptedSink()]))
    view.finished(StreamOutcome("left", Metrics().report({}), []))
    view.finished(StreamOutcome("right", Metrics().report({}), []))
    # The last picture of the bars before each table.
    before_left, before_right = (
        screen.getvalue().split(f"{name}: done")[0].rsplit("\x1b[2K", 1)[-1] for name in ("left", "right")
    )
    assert "left" in before_left
    assert "right" not in before_left
    assert "right" in before_right
