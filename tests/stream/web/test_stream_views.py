"""What of a stream can be watched: annotated pictures, plain ones, and the legend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import Classification, Detections, Poses, Result
from stream.config import OverlaySettings
from stream.errors import ConfigError
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.watermark import read_watermark
from stream.web.legend import Legend
from stream.web.stream_views import StreamViews
from tests.stream.web.test_broadcast import ScriptedWatcher

DRAWN = np.full((48, 320, 3), 200, np.uint8)


def seen(index: int) -> FrameResult:
    return FrameResult(Frame(np.full((48, 320, 3), 50, np.uint8), index, Fraction(1, 25), index, 0))


def on_a_loop(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await test()

    asyncio.run(run())


async def write(views: StreamViews, index: int) -> None:
    """As the write thread does; then the loop gets to deliver."""
    await asyncio.to_thread(views.sink.write, DRAWN, seen(index))
    await asyncio.sleep(0)


def test_the_picture_is_drawn_only_while_somebody_watches_it_drawn() -> None:
    async def test() -> None:
        views = StreamViews(500, OverlaySettings())
        await write(views, 0)
        assert not views.sink.needs_image
        drawn, plain = ScriptedWatcher(), ScriptedWatcher(wants_results=True)
        assert views.plain is not None
        views.plain.join(plain)
        await write(views, 1)
        assert not views.sink.needs_image
        assert (len(plain.pictures), len(plain.messages)) == (1, 1)

        # Who comes gets the next picture that is drawn, and never one that is not.
        views.drawn.join(drawn)
        await write(views, 2)
        assert (views.sink.needs_image, len(drawn.pictures)) == (True, 0)
        await write(views, 3)
        assert (len(drawn.pictures), len(plain.pictures)) == (1, 3)
        assert views.viewers == {"H264": 2}

    on_a_loop(test)


def test_a_stalled_source_is_shown_to_both_kinds_of_viewers() -> None:
    async def test() -> None:
        views = StreamViews(500, OverlaySettings())
        drawn, plain = ScriptedWatcher(), ScriptedWatcher(wants_results=True)
        assert views.plain is not None
        views.drawn.join(drawn)
        views.plain.join(plain)
        await write(views, 0)
        await asyncio.to_thread(views.sink.refresh, DRAWN)
        await asyncio.sleep(0)
        assert (len(drawn.pictures), len(plain.pictures)) == (2, 2)
        # No frame stands behind the second.
        assert len(plain.messages) == 1
        views.tell_all("to all who want results")
        assert plain.messages[-1] == "to all who want results"
        assert drawn.messages == []

    on_a_loop(test)


def test_the_watermark_stands_in_the_plain_picture_too_and_the_frame_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = StreamViews(500, OverlaySettings(watermark=True))
    published: list[NDArray[np.uint8]] = []
    assert views.plain is not None
    monkeypatch.setattr(views.plain, "_wanted", frozenset({"H264"}))
    monkeypatch.setattr(views.plain, "publish", lambda image, _: published.append(image))
    result = seen(0)
    views.sink.write(DRAWN, result)
    assert read_watermark(published[0]) is not None
    assert (result.frame.image == 50).all()


def test_who_hides_what_is_not_the_label_shows_nobody_the_plain_picture() -> None:
    assert StreamViews(500, OverlaySettings(isolate="person:blur")).plain is None
    with pytest.raises(ConfigError, match=r"overlay\.isolate: 'person:blur' .*browser"):
        StreamViews(500, OverlaySettings(isolate="person:blur", browser=True))


def legend_of(**results: Result) -> dict[str, dict[str, object]]:
    legend = Legend()
    legend.note(results)
    return {model.model: model.model_dump(exclude={"model"}) for model in legend.models}


def detections(names: tuple[str, ...]) -> Detections:
    empty = np.zeros((0, 4), np.float32)
    return Detections("object_detection", empty, np.zeros(0, np.float32), np.zeros(0, np.int64), names)


def test_the_legend_has_the_colours_of_the_drawn_picture() -> None:
    # The palette's first two are sky (BGR 255, 200, 77) and orange (92, 166, 255).
    found = legend_of(detector=detections(("dog", "person")))
    assert found == {
        "detector": {
            "task": "object_detection",
            "colours": {"dog": "#4dc8ff", "person": "#ffa65c"},
            "limbs": [],
            "joints": {},
        }
    }


def test_the_legend_of_poses_joins_keypoints_in_the_colour_of_their_side() -> None:
    names = ("nose", "left_eye", "right_eye")
    objects = detections(("person",))
    poses = Poses(
        "keypoint_detection",
        objects,
        np.zeros((0, 3, 2), np.float32),
        np.zeros((0, 3), np.float32),
        names,
        ((0, 1), (1, 2)),
    )
    found = legend_of(poses=poses)["poses"]
    # Left is sky, right is orange, the middle is green (150, 230, 130); a limb between two sides belongs to none.
    assert found["joints"] == {"nose": "#82e696", "left_eye": "#4dc8ff", "right_eye": "#ffa65c"}
    assert found["limbs"] == [("nose", "left_eye", "#4dc8ff"), ("left_eye", "right_eye", "#82e696")]


def test_a_model_that_knows_other_classes_than_before_is_noted_anew() -> None:
    legend = Legend()
    answer = Classification("image_classification", np.array([0], np.int64), np.array([1.0], np.float32), ("yes",))
    legend.note({"model": detections(("dog",)), "other": answer})
    legend.note({"model": detections(("cat",))})
    assert [(one.model, list(one.colours)) for one in legend.models] == [("model", ["cat"]), ("other", ["yes"])]
