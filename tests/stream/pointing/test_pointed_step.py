"""Objects that are pointed at are cut out on the frame that was seen, followed, and lost where they are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from models.detections import Detections
from models.errors import PromptError
from models.model import untimed
from stream.model_step import Seen
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Remove, Undo
from stream.pointing.frame_memory import FrameMemory
from stream.pointing.pointed_step import PointedStep
from tests.stream.pointing.scene import (
    BLUE,
    HEIGHT,
    RADIUS_PX,
    RATE,
    RED,
    WIDTH,
    ByColour,
    centres,
    frame_at,
    iou,
    truth,
)


class Run:
    """A step that sees every frame, and looks at some."""

    def __init__(self, model: ByColour | None = None) -> None:
        self.model = model or ByColour()
        self.told: list[str] = []
        self.step = PointedStep(self.model, self.told.append)

    def watch(self, indices: Iterable[int]) -> None:
        for index in indices:
            self.step.note(frame_at(index))

    def look(self, index: int) -> Seen:
        return self.step.look(frame_at(index), untimed)


def on(index: int, colour: tuple[int, int, int], number: int | None = None, *, is_on: bool = True) -> Point:
    """A click on the middle of a disc as it is on a frame."""
    x, y = centres(index)[colour]
    return Point(index / RATE, ((x + 0.5) / WIDTH, (y + 0.5) / HEIGHT), is_on, number)


def found(seen: Seen) -> Detections:
    assert isinstance(seen.result, Detections)
    return seen.result


def test_nothing_is_asked_before_somebody_points() -> None:
    run = Run()
    run.watch(range(3))
    seen = run.look(2)
    assert len(found(seen)) == 0
    assert seen.is_carried, "no model ran, and none may be counted"
    assert run.model.embedded == []


def test_a_click_means_the_frame_that_was_seen() -> None:
    # The viewer saw frame 5; frame 20 has come since.
    run = Run()
    run.watch(range(21))
    run.step.click(on(5, RED))
    seen = run.look(20)
    masks = found(seen).masks
    assert seen.found_on.index == 5
    assert seen.is_carried
    assert masks is not None
    assert iou(masks[0], truth(5, RED)) == 1.0
    assert found(seen).labels == ["object 1"]


def test_an_object_is_followed_for_five_seconds() -> None:
    # The model takes a third of a second: it sees every tenth frame.
    run = Run()
    run.step.click(on(0, RED))
    run.step.click(on(0, BLUE))
    run.watch([0])
    run.look(0)
    for index in range(10, 5 * RATE // 2, 10):
        run.watch(range(index - 9, index + 1))
        seen = found(run.look(index))
        assert seen.masks is not None
        for row, number in enumerate(seen.class_ids.tolist()):
            assert iou(seen.masks[row], truth(index, (RED, BLUE)[number])) > 0.95
        assert len(seen) == 2
    assert not run.told


def test_between_answers_the_prompt_is_carried_and_not_repeated() -> None:
    run = Run()
    run.watch(range(11))
    run.step.click(on(0, RED))
    run.look(0)
    run.look(10)
    first, second = run.model.asked
    (x, y), (later_x, later_y) = first[0].points_xy[0], second[0].points_xy[0]
    # Two pixels a frame to the right.
    assert (later_x - x, later_y - y) == pytest.approx((20, 0), abs=3)
    box = second[0].box_xyxy
    assert box is not None
    centre = centres(10)[RED]
    assert (box[0] + box[2]) / 2 == pytest.approx(centre[0], abs=3)
    assert box[2] - box[0] == pytest.approx(2 * RADIUS_PX, abs=3)


def test_a_package_without_boxes_is_asked_points_alone() -> None:
    run = Run(ByColour(takes_boxes=False))
    run.watch(range(2))
    run.step.click(on(0, RED))
    run.look(0)
    run.look(1)
    assert run.model.asked[1][0].box_xyxy is None
    run.step.click(Box(1 / RATE, ((0.1, 0.1), (0.5, 0.5))))
    run.look(1)
    assert run.told == ["this model answers points and no boxes"]


def test_a_point_beside_the_object_takes_something_away() -> None:
    run = Run()
    run.watch(range(2))
    run.step.click(on(0, RED))
    whole = found(run.look(0)).masks
    run.step.click(on(0, RED, 1, is_on=False))
    less = found(run.look(1)).masks
    assert whole is not None
    assert less is not None
    assert less.sum() < whole.sum()
    run.step.click(Undo())
    again = found(run.look(1)).masks
    assert again is not None
    assert iou(again[0], truth(1, RED)) == 1.0


def test_a_box_cuts_out_what_is_in_it() -> None:
    run = Run()
    run.watch([0])
    x, y = centres(0)[BLUE]
    corners = ((x + 30) / WIDTH, (y - 30) / HEIGHT), ((x - 30) / WIDTH, (y + 30) / HEIGHT)
    run.step.click(Box(0.0, corners))
    masks = found(run.look(0)).masks
    assert masks is not None
    assert iou(masks[0], truth(0, BLUE)) == 1.0
    assert run.model.asked[0][0].box_xyxy == pytest.approx((x - 30.5, y - 30.5, x + 29.5, y + 29.5))


@pytest.mark.parametrize(
    ("clicks", "left"),
    [
        ([Remove(1)], ["object 2"]),
        ([Remove(7)], ["object 1", "object 2"]),
        ([Undo()], ["object 1"]),
        ([Undo(), Undo()], []),
        ([Clear()], []),
        # After all is cleared, numbers begin anew.
        ([Clear(), on(1, BLUE)], ["object 1"]),
    ],
    ids=["remove", "remove none", "undo", "undo twice", "clear", "anew"],
)
def test_objects_are_taken_away(clicks: list[Click], left: list[str]) -> None:
    run = Run()
    run.watch(range(2))
    run.step.click(on(0, RED))
    run.step.click(on(0, BLUE))
    run.look(0)
    for click in clicks:
        run.step.click(click)
    assert sorted(found(run.look(1)).labels) == left


def test_the_newest_object_needs_no_number() -> None:
    # A page does not know the number yet when it clicks twice in a row.
    run = Run()
    run.watch([0])
    run.step.click(on(0, RED, NEWEST, is_on=False))
    assert len(found(run.look(0))) == 0
    assert run.told == ["say first where an object is"]
    run.step.click(on(0, RED))
    run.step.click(on(0, RED, NEWEST))
    assert found(run.look(0)).labels == ["object 1"]
    assert len(run.model.asked[0][0].points_xy) == 2


def test_fifty_clicks_at_once_are_one_question() -> None:
    run = Run()
    run.watch([0])
    run.step.click(on(0, RED))
    run.look(0)
    for _ in range(50):
        run.step.click(on(0, RED, 1))
    run.look(0)
    assert [len(prompts) for prompts in run.model.asked] == [1, 1]
    assert len(run.model.asked[1][0].points_xy) == 51


def test_too_many_clicks_are_refused() -> None:
    run = Run()
    for _ in range(64):
        run.step.click(on(0, RED))
    with pytest.raises(PromptError, match="too many clicks"):
        run.step.click(on(0, RED))


def test_a_frame_that_is_gone_is_said() -> None:
    run = Run()
    run.watch(range(300))
    run.step.click(on(5, RED))
    assert len(found(run.look(299))) == 0
    assert run.told == ["that picture is gone: click again"]


def test_clicks_on_two_frames_are_answered_on_the_later_one() -> None:
    run = Run()
    run.watch(range(13))
    run.step.click(on(0, RED))
    run.step.click(on(12, BLUE))
    seen = run.look(12)
    masks = found(seen).masks
    assert masks is not None
    assert len(run.model.embedded) == 1
    for row, number in enumerate(found(seen).class_ids.tolist()):
        assert iou(masks[row], truth(12, (RED, BLUE)[number])) == 1.0


@pytest.mark.parametrize(("score", "shown"), [(0.9, (BLUE,)), (0.1, (RED, BLUE))], ids=["covered", "unsure"])
def test_what_is_not_found_three_times_is_lost_and_said(score: float, shown: tuple[tuple[int, int, int], ...]) -> None:
    run = Run()
    run.step.note(frame_at(0))
    run.step.click(on(0, RED))
    run.look(0)
    run.model.score = score
    counts = []
    for index in (1, 2, 3):
        frame = frame_at(index, shown)
        run.step.note(frame)
        counts.append(len(found(run.step.look(frame, untimed))))
    assert counts == [1, 1, 0]
    assert run.told == ["object 1 is lost: click on it again"]
    assert [(thing.number, thing.is_lost) for thing in run.step.objects] == [(1, True)]
    # It keeps its number when it is shown again.
    run.model.score = 0.9
    run.step.note(frame_at(4))
    run.step.click(on(4, RED, 1))
    assert found(run.look(4)).labels == ["object 1"]


def test_another_picture_size_loses_objects() -> None:
    run = Run()
    run.watch([0])
    run.step.click(on(0, RED))
    run.look(0)
    small = frame_at(1)
    other = replace(small, image=np.ascontiguousarray(small.image[:100, :100]))
    assert len(found(run.step.look(other, untimed))) == 0
    assert run.told == ["object 1 is lost: click on it again"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Point(0.0, (1.2, 0.5)), "outside the picture"),
        (lambda: Point(0.0, (0.5, float("nan"))), "outside the picture"),
        (lambda: Point(float("inf"), (0.5, 0.5)), "time is no number"),
        (lambda: Point(0.0, (0.5, 0.5), is_on=False), "say first where the object is"),
        (lambda: Box(0.0, ((0.5, 0.5), (0.5, 0.9))), "no area"),
        (lambda: Box(0.0, ((0.5, 0.5), (-0.1, 0.9))), "outside the picture"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(PromptError, match=says):
        make()


def test_only_three_seconds_are_remembered() -> None:
    memory = FrameMemory()
    frames = [replace(frame_at(index), time_base=Fraction(1, 4)) for index in range(40)]
    for frame in frames:
        memory.note(frame)
    # Four a second: the newest, twelve before it.
    assert [frame.index for frame in memory.between(frames[0], frames[39])] == list(range(27, 39))
    assert memory.at(27 / 4) is frames[27]
    # Half a second is near enough for a time that has been through a browser.
    assert memory.at(26 / 4) is frames[27]
    assert memory.at(24 / 4) is None
