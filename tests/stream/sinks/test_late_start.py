"""A video that begins in the middle of a stream: from its own zero, without the sound, and said so."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from stream.frame import AudioTrack
from stream.sinks import make_sink
from stream.sinks.late_start import LateStart
from tests.stream.sinks.recording import Judge, describe, grey, moment


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_it_begins_at_zero_whatever_the_time_was(name: str, tmp_path: Path, judge: Judge) -> None:
    info = describe(64, 48)
    sink = LateStart(make_sink(str(tmp_path / name)))
    sink.open(info)
    start = round(600 / info.time_base)
    step = round(Fraction(1, 25) / info.time_base)
    for number in range(4):
        sink.write(grey(info, 9), moment(grey(info, 9), start + number * step, info.time_base, number))
    sink.close()
    assert sink.paths() == [str(tmp_path / name)]
    assert judge.times(tmp_path / name) == pytest.approx([number / 25 for number in range(4)])


def test_sound_is_left_out_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # There is no such file: nobody looks for its sound.
    info = replace(describe(64, 48), audio=AudioTrack(tmp_path / "nowhere.mp4", 1, "aac"))
    sink = LateStart(make_sink(str(tmp_path / "late.mp4")))
    sink.open(info)
    sink.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{info.name}: begins in the middle, and so without the sound"
    ]
