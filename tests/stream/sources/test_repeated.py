from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from stream.sources.repeated import RepeatedSource
from tests.stream.doubles import ScriptedSource


def test_indices_and_times_go_on_over_the_rounds() -> None:
    rounds = [ScriptedSource(3) for _ in range(3)]
    opened = iter(rounds[1:])
    source = RepeatedSource(rounds[0], lambda: next(opened))
    frames = iter(source)
    got = [next(frames) for _ in range(8)]
    assert [frame.index for frame in got] == list(range(8))
    # 25 a second, in ticks of 1/25 second: the next round begins when the last frame has been shown.
    assert [frame.pts for frame in got] == list(range(8))
    # The pictures are those of the recording: their grey level is their number in it.
    assert [int(frame.image[0, 0, 0]) for frame in got] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert [one.closed.is_set() for one in rounds] == [True, True, False]
    source.close()
    assert rounds[2].closed.is_set()
    assert list(frames) == []


def test_a_still_without_a_rate_is_shown_five_times_a_second() -> None:
    def still() -> ScriptedSource:
        source = ScriptedSource(1)
        source.info = replace(source.info, rate=None)
        return source

    frames = iter(RepeatedSource(still(), still))
    assert [next(frames).pts_seconds for _ in range(3)] == [0.0, 0.2, 0.4]


def test_what_has_no_frames_ends_instead_of_being_opened_for_ever() -> None:
    assert list(RepeatedSource(ScriptedSource(0), lambda: ScriptedSource(0))) == []


def test_it_tells_of_no_length_and_no_sound() -> None:
    info = RepeatedSource(ScriptedSource(3), lambda: ScriptedSource(3)).info
    assert (info.frame_count, info.audio, info.rate) == (None, None, Fraction(25))
