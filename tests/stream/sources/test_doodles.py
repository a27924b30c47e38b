"""The built-in drawing session: the same every time, as its schedule says, and recognised by the bundled model."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise

import numpy as np
import pytest

from models import load_model
from models.results import SketchGuess
from models.sketch_raster import rasterize_strokes
from models.tasks.ink import find_drawing
from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import open_source
from stream.sources.doodle_strokes import DRAWINGS
from stream.sources.doodles import doodle_schedule


def frames(text: str, *indices: int) -> Iterator[Frame]:
    """The frames of these indices."""
    with open_source(text) as source:
        for frame in source:
            if frame.index in indices:
                yield frame
            if frame.index >= max(indices):
                return


def test_the_schedule_covers_the_session_without_gaps() -> None:
    schedule = doodle_schedule()
    assert [doodle.name for doodle in schedule] == list(DRAWINGS)
    assert len(schedule) >= 12
    assert schedule[0].first_index == 0
    for doodle, following in pairwise(schedule):
        assert following.first_index == doodle.last_index + 1
    for doodle in schedule:
        assert doodle.first_index < doodle.finished_index < doodle.last_index
    assert open_source("doodles").info.frame_count == schedule[-1].last_index + 1


def test_frames_carry_the_session_clock() -> None:
    source = open_source("doodles:96x54")
    assert (source.info.width, source.info.height, source.info.rate) == (96, 54, Fraction(25))
    assert not source.info.is_live
    every = list(source)
    assert len(every) == source.info.frame_count
    assert [frame.pts for frame in every] == [frame.index for frame in every] == list(range(len(every)))
    assert {frame.time_base for frame in every} == {Fraction(1, 25)}
    assert {frame.size_wh for frame in every} == {(96, 54)}


@pytest.mark.parametrize("text", ["doodles:320x180", "doodles:181x319", "doodles:17x16"])
def test_the_same_session_twice(text: str) -> None:
    with open_source(text) as first, open_source(text) as second:
        for one, other in islice(zip(first, second, strict=True), 100):
            np.testing.assert_array_equal(one.image, other.image)


def test_a_sheet_comes_blank_fills_with_ink_and_is_held() -> None:
    doodle = doodle_schedule()[1]
    blank = doodle.finished_index - 45
    wanted = (blank, doodle.finished_index - 22, doodle.finished_index, doodle.last_index)
    found = [find_drawing(frame.image) for frame in frames("doodles:640x360", *wanted)]
    assert found[0] is None
    half, whole, held = (one.drawing for one in found[1:] if one is not None)
    assert 0 < int(half.sum()) < int(whole.sum())
    likeness = np.corrcoef(whole.ravel(), held.ravel())[0, 1]
    # the hand trembles, so not quite 1
    assert 0.9 < likeness < 1


def test_finished_drawings_look_as_their_strokes() -> None:
    doodle = doodle_schedule()[0]
    (frame,) = frames("doodles", doodle.finished_index)
    found = find_drawing(frame.image)
    assert found is not None
    assert np.corrcoef(found.drawing.ravel(), rasterize_strokes(DRAWINGS[doodle.name]).ravel())[0, 1] > 0.6


def test_the_bundled_model_names_at_least_ten_of_twelve_finished_drawings() -> None:
    model = load_model("quickdraw-32", device="cpu")
    finished = {doodle.finished_index: doodle.name for doodle in doodle_schedule()}
    right = []
    for frame in frames("doodles:640x360", *finished):
        guess = model(frame.image)
        assert isinstance(guess, SketchGuess)
        right.append(guess.labels[:1] == [finished[frame.index]])
    assert len(right) == len(finished)
    assert np.mean(right) >= 10 / 12


def test_closing_ends_the_session() -> None:
    source = open_source("doodles:64x36")
    iterator = iter(source)
    next(iterator)
    source.close()
    source.close()
    assert list(iterator) == []


@pytest.mark.parametrize(
    "text",
    [
        "doodles:",
        "doodles:640",
        "doodles:640x",
        "doodles:640x360x2",
        "doodles:axb",
        "doodles:15x720",
        "doodles:640x99999",
    ],
)
def test_a_wrong_size_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SourceError, match=r"^source: .*doodles.*doodles:\d+x\d+$") as caught:
        open_source(text)
    assert "\n" not in str(caught.value)
