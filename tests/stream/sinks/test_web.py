"""`web` among the sinks: a place in the run's page, at the speed of the material."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.sinks import make_sink
from stream.sinks.web import PageSink
from tests.stream.doubles import ScriptedSink


def source(*, is_live: bool) -> SourceInfo:
    return SourceInfo("clip", 4, 4, Fraction(10), Fraction(1, 10), is_live)


def seen(index: int) -> FrameResult:
    return FrameResult(Frame(np.zeros((4, 4, 3), np.uint8), index, Fraction(1, 10), index, 7))


class ScriptedTime:
    """Seconds that pass only where somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(round(seconds, 6))
        self.now += seconds


def written(sink: PageSink, count: int) -> None:
    for index in range(count):
        result = seen(index)
        sink.write(result.frame.image, result)


@pytest.mark.parametrize(
    ("is_live", "waited"),
    [
        # Ten a second: the first at once, the others when they are due.
        (False, [0.0, 0.1, 0.1]),
        # A camera's pictures are due when they come.
        (True, []),
    ],
)
def test_recorded_material_is_shown_at_its_own_speed(
    monkeypatch: pytest.MonkeyPatch, is_live: bool, waited: list[float]
) -> None:
    time = ScriptedTime()
    sink, page = PageSink(time), ScriptedSink()
    monkeypatch.setattr(sink._ending, "wait", time.wait)
    sink.attach(page)
    sink.open(source(is_live=is_live))
    written(sink, 3)
    assert time.waited == waited
    assert page.indices == [0, 1, 2]


def test_nothing_waits_once_the_stream_is_ending() -> None:
    sink, page = PageSink(), ScriptedSink()
    sink.attach(page)
    sink.open(source(is_live=False))
    controls = Controls(stop=lambda: None, toggle_hud=lambda: None)
    assert not sink.attend(controls, 0.1)
    controls.stopping()
    sink.attend(controls, 0.1)
    # Half a minute of material.
    late = FrameResult(Frame(np.zeros((4, 4, 3), np.uint8), 300, Fraction(1, 10), 300, 7))
    sink.write(late.frame.image, seen(0))
    sink.write(late.frame.image, late)
    assert page.indices == [0, 300]
    sink.close()
    sink.close()


def test_a_sink_without_a_page_says_so_before_the_first_frame() -> None:
    sink = make_sink("web")
    with pytest.raises(SinkError, match=r"sink: web: .*mirilla"):
        sink.open(source(is_live=True))
    sink.close()
