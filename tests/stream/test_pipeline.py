"""The frame loop with scripted parts: nothing is lost, nothing hangs; the first failure is what one sees."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from models.errors import ModelError
from stream.capture_stage import Limits
from stream.errors import SinkError, SourceError
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.renderer import Renderer
from stream.sources.source import SourceStatus
from stream.write_stage import WriteStage
from tests.stream.doubles import (
    ScriptedClock,
    ScriptedModel,
    ScriptedSink,
    ScriptedSource,
    ScriptedView,
    make_frame,
)


def run(pipeline: Pipeline) -> dict[str, Any]:
    """Run, and return the ledger after checking that it balances and that no thread is left."""
    try:
        pipeline.run()
    finally:
        frames: dict[str, Any] = pipeline.metrics.report({})["frames"]
        assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("mirilla-")]
    return frames


def test_every_frame_reaches_every_sink_in_order() -> None:
    sinks = [ScriptedSink(), ScriptedSink(needs_image=False)]
    model = ScriptedModel()
    frames = run(Pipeline(ScriptedSource(50), [model], sinks))
    assert model.seen == list(range(50))
    assert sinks[0].indices == sinks[1].indices == list(range(50))
    assert frames == {"captured": 50, "inferred": {"scripted": 50}, "written": 50, "dropped": {}}
    assert [sink.closed for sink in sinks] == [1, 1]


def test_results_and_stage_times_go_with_their_frame() -> None:
    sink = ScriptedSink()
    run(Pipeline(ScriptedSource(3), [ScriptedModel()], [sink]))
    line = sink.results[2].to_dict()
    assert line == {
        "index": 2,
        "pts_seconds": 0.08,
        "results": {"scripted": {"task": "image_classification", "labels": [{"label": "yes", "score": 1.0}]}},
    }
    assert set(sink.results[2].stage_ms["scripted"]) == {"inference"}


def test_without_a_model_and_without_a_hud_the_picture_is_the_source_s_own() -> None:
    sink = ScriptedSink()
    run(Pipeline(ScriptedSource(3), [], [sink], look=Look(hud=False)))
    assert [int(image.min()) for image in sink.images] == [int(image.max()) for image in sink.images] == [0, 1, 2]


def test_overlays_never_touch_the_frame_that_models_and_results_share() -> None:
    sink = ScriptedSink()
    run(Pipeline(ScriptedSource(3, size_wh=(640, 360)), [ScriptedModel()], [sink], look=Look()))
    assert all(np.ptp(result.frame.image) == 0 for result in sink.results)
    assert np.ptp(sink.images[2]) > 0


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(frames=7), 7),
        (Limits(frames=99), 20),  # the source ends first
        (Limits(seconds=0.2), 5),  # 25 frames a second: 0.00 to 0.16
        (Limits(frames=3, seconds=0.2), 3),
    ],
)
def test_limits_end_the_capture(limits: Limits, expected: int) -> None:
    sink = ScriptedSink()
    pipeline = Pipeline(ScriptedSource(20), [], [sink], limits=limits)
    assert pipeline.frame_count == expected
    assert run(pipeline)["written"] == expected


@pytest.mark.parametrize(
    "parts",
    [
        {"source": {"failure": SourceError("broke")}},
        {"model": {"fails_at": 4, "failure": ModelError("broke")}},
        {"sink": {"fails_at": 4, "write_failure": SinkError("broke")}},
        {"sink": {"close_failure": SinkError("broke")}},
        {"model": {"fails_at": 0, "failure": ValueError("broke")}},  # not only Mirilla's own errors
        {"source": {"failure": MemoryError("broke")}},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_a_stage_that_fails_ends_the_run_with_its_own_error(parts: dict[str, dict[str, Any]]) -> None:
    source = ScriptedSource(1000 if "source" not in parts else 10, **parts.get("source", {}))
    model = ScriptedModel(**parts.get("model", {}))
    sinks = [ScriptedSink(**parts.get("sink", {})), ScriptedSink()]
    pipeline = Pipeline(source, [model], sinks)
    with pytest.raises(Exception, match=r"^broke$"):
        run(pipeline)
    assert source.closed.is_set()
    assert [sink.closed for sink in sinks] == [1, 1]
    assert not any(sink.wrote_after_close for sink in sinks)


def test_what_was_captured_before_the_source_broke_is_written() -> None:
    sink = ScriptedSink()
    with pytest.raises(SourceError):
        run(Pipeline(ScriptedSource(10, failure=SourceError("broke")), [ScriptedModel()], [sink]))
    assert sink.indices == list(range(10))


def test_what_was_inferred_before_the_model_broke_is_written() -> None:
    sink = ScriptedSink()
    with pytest.raises(ModelError):
        run(Pipeline(ScriptedSource(10), [ScriptedModel(fails_at=6, failure=ModelError("broke"))], [sink]))
    assert sink.indices == list(range(6))


def test_a_sink_that_cannot_open_is_said_before_the_first_frame_and_the_others_are_closed() -> None:
    source = ScriptedSource(10)
    sinks = [ScriptedSink(), ScriptedSink(open_failure=SinkError("broke")), ScriptedSink()]
    with pytest.raises(SinkError, match=r"^broke$"):
        run(Pipeline(source, [], sinks))
    assert source.yielded == 0
    assert source.closed.is_set()
    assert [sink.closed for sink in sinks] == [1, 1, 0]


def test_stop_wakes_a_source_that_blocks_and_finishes_what_was_captured() -> None:
    source = ScriptedSource(5, blocks_at_end=True)
    sink = ScriptedSink()
    pipeline = Pipeline(source, [], [sink])
    seen: list[int] = []

    def stop_when_all_are_written() -> None:
        seen.append(pipeline.metrics.snapshot().written)
        if seen[-1] == 5:
            pipeline.stop()

    pipeline.run(stop_when_all_are_written)
    assert sink.indices == [0, 1, 2, 3, 4]
    assert sink.closed == 1


def test_a_caller_that_is_interrupted_leaves_nothing_running() -> None:
    source = ScriptedSource(5, blocks_at_end=True)
    sink = ScriptedSink()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, [], [sink]).run(interrupt)
    assert sink.closed == 1
    assert sink.indices == [0, 1, 2, 3, 4]


def test_a_live_source_is_never_held_up_and_superseded_frames_are_counted() -> None:
    source = ScriptedSource(100, is_live=True)
    sink = ScriptedSink()
    # The model holds the first frame that it gets until the source has ended.
    model = ScriptedModel(before=lambda: source.exhausted.wait(10))
    frames = run(Pipeline(source, [model], [sink]))
    assert frames["captured"] == 100
    # That frame, unless it was superseded before the model took it, and the newest of the others.
    assert len(sink.indices) in (1, 2)
    assert sink.indices[-1] == 99
    # Which of the two buffers the others were lost in depends on which thread was awake.
    assert set(frames["dropped"]) <= {"superseded", "sinks_busy"}


def test_a_sink_that_is_late_is_given_the_newest_frame_and_not_the_next() -> None:
    looked = threading.Semaphore(0)

    class Camera(ScriptedSource):
        """Gives the next frame when the model has seen the last."""

        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                yield frame
                looked.acquire(timeout=10)

    source = Camera(50, is_live=True)
    sink = ScriptedSink(after_write=lambda _: source.exhausted.wait(10))
    frames = run(Pipeline(source, [ScriptedModel(before=looked.release)], [sink]))
    # The sink holds the first frame that it gets until the source has ended; all others were inferred meanwhile.
    assert frames["inferred"] == {"scripted": 50}
    assert all(index >= 48 for index in sink.indices[1:])
    assert frames["dropped"] == {"sinks_busy": 50 - len(sink.indices)}


def test_pictures_that_the_source_itself_let_go_of_are_in_the_ledger() -> None:
    class Camera(ScriptedSource):
        """Every frame that is taken has superseded two others, and three more are left when it ends."""

        @property
        def status(self) -> SourceStatus:
            superseded = 2 * self.yielded + (3 if self.exhausted.is_set() else 0)
            return SourceStatus(
                is_connected=True, last_frame_ns=0, attempt=0, reconnects=0, lost_ns=0, superseded=superseded
            )

    sink = ScriptedSink()
    frames = run(Pipeline(Camera(4), [], [sink]))
    assert frames == {"captured": 15, "inferred": {}, "written": 4, "dropped": {"superseded": 11}}


def test_the_source_s_rate_counts_pictures_that_it_let_go_of() -> None:
    clock = ScriptedClock()
    camera = ScriptedSource(0, is_live=True)
    metrics = Metrics([], clock, source=camera.info)
    for _ in range(50):
        # 30 pictures a second came, of which every third was taken.
        clock.advance(0.1)
        metrics.frames_superseded_in_source(2)
        metrics.frame_captured(0)
    assert metrics.source_fps == pytest.approx(30, rel=0.01)


def test_frames_that_are_too_old_never_reach_the_model() -> None:
    clock = ScriptedClock()
    source, sink = ScriptedSource(4, clock_ns=clock), ScriptedSink()

    def look() -> None:
        # The others have been captured by now; while the model looks at the first, 150 ms pass.
        source.exhausted.wait(10)
        clock.advance(0.15)

    model, metrics = ScriptedModel(before=look), Metrics(["scripted"], clock)
    frames = run(Pipeline(source, [model], [sink], metrics=metrics, max_age_ms=100))
    assert model.seen == sink.indices == [0]
    assert frames["dropped"] == {"too_old": 3}


def test_a_picture_that_does_not_wait_passes_the_model_by() -> None:
    """A recording with `latest`: no picture is lost or held up, and the model sees what it can."""
    shown = threading.Event()

    def let_the_model_finish(index: int) -> None:
        # Its last answer comes while the last picture is being written.
        if index == 49:
            shown.set()
            for thread in threading.enumerate():
                if thread.name == "mirilla-infer":
                    thread.join(10)

    sink = ScriptedSink(after_write=let_the_model_finish)
    keeper = ScriptedSink(needs_image=False, wants_inferred=True)
    model = ScriptedModel(before=lambda: shown.wait(10))
    frames = run(Pipeline(ScriptedSource(50), [model], [sink, keeper], timing="latest"))
    assert sink.indices == list(range(50))
    # Only what was inferred on its frame is kept: the first that the model took, and the newest after it.
    assert keeper.indices == model.seen
    assert len(model.seen) <= 2
    assert not any(result.carried for result in keeper.results)
    assert frames == {"captured": 50, "inferred": {"scripted": len(model.seen)}, "written": 50, "dropped": {}}


def test_the_newest_results_are_on_every_later_picture() -> None:
    inferred = threading.Event()
    sink = ScriptedSink()
    keeper = ScriptedSink(needs_image=False, wants_inferred=True, after_write=lambda _: inferred.set())
    source = ScriptedSource(10, blocks_at_end=True)
    pipeline = Pipeline(source, [ScriptedModel()], [sink, keeper], timing="latest")

    def stop_when_all_is_known() -> None:
        if pipeline.metrics.snapshot().written == 10 and inferred.is_set():
            pipeline.stop()

    pipeline.run(stop_when_all_is_known)
    with_results = [result for result in sink.results if result.results]
    for result in with_results:
        found = result.found_on.get("scripted", result.frame)
        assert found.index <= result.frame.index
    ages = [result.found_on["scripted"].index for result in with_results if result.carried]
    assert ages == sorted(ages)


def test_a_live_picture_stops_waiting_when_the_model_is_slower_than_the_source() -> None:
    clock = ScriptedClock()
    due, given = threading.Semaphore(1), threading.Semaphore(0)

    class Camera(ScriptedSource):
        """25 frames a second by the clock, each when it is due."""

        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                due.acquire(timeout=10)
                clock.advance(0.04)
                yield frame
                given.release()
            given.release(10)

    def look() -> None:
        for _ in range(5):
            due.release()
            given.acquire(timeout=10)
        # The write thread is not to sleep through it all.
        while not written.wait(0.001) and not camera.exhausted.is_set():
            pass
        written.clear()

    written = threading.Event()
    written.set()
    camera = Camera(100, is_live=True, clock_ns=clock)
    sink = ScriptedSink(after_write=lambda _: written.set())
    metrics = Metrics(["scripted"], clock, source=camera.info)
    frames = run(Pipeline(camera, [ScriptedModel(before=look)], [sink], metrics=metrics))
    assert frames["captured"] == 100
    carried = [result.frame.index for result in sink.results if result.carried]
    # Exact at first, until three looks have been measured.
    assert carried
    assert carried[0] >= 3


def test_views_are_told_when_the_source_stalls_and_files_are_not() -> None:
    clock = ScriptedClock()
    view, file = ScriptedView(), ScriptedSink()
    source = ScriptedSource(1, size_wh=(640, 360), is_live=True, clock_ns=clock)
    metrics = Metrics([], clock, source=source.info)
    stage = WriteStage([view, file], Renderer(metrics, {}, Look(), source=source), metrics)
    (frame,) = source
    metrics.frame_captured(0)
    assert stage.write_exact(FrameResult(frame))
    clock.advance(0.9)
    stage.refresh()
    assert not view.refreshed  # a frame may come late
    clock.advance(0.2)
    stage.refresh()
    clock.advance(1)
    source.lost_status = SourceStatus(
        is_connected=False, last_frame_ns=0, attempt=3, reconnects=0, lost_ns=0, superseded=0
    )
    stage.refresh()
    assert len(view.refreshed) == 2
    # Each time the seconds have changed, and then what the source does stands beside them.
    pictures = [view.images[0], *view.refreshed]
    assert all(np.any(before != after) for before, after in pairwise(pictures))
    assert (len(file.images), metrics.snapshot().written) == (1, 1)


def test_an_answer_that_comes_after_later_pictures_is_kept_but_not_shown() -> None:
    metrics = Metrics(["m"])
    sink, keeper = ScriptedSink(), ScriptedSink(needs_image=False, wants_inferred=True)
    stage = WriteStage([sink, keeper], Renderer(metrics, {}, Look(hud=False)), metrics)
    answer = FrameResult(make_frame(3), {"m": ScriptedModel()(make_frame(3).image, lambda _: nullcontext())})
    stage.write_latest(make_frame(4))
    assert not stage.write_exact(answer)
    stage.write_latest(make_frame(5))
    assert (sink.indices, keeper.indices) == ([4, 5], [3])
    assert sink.results[1].found_on == {"m": answer.frame}


def test_an_answer_that_exact_pictures_have_overtaken_is_never_shown() -> None:
    """A stream that goes back to exact, and later to the latest again."""
    metrics = Metrics(["m"])
    sink = ScriptedSink()
    stage = WriteStage([sink], Renderer(metrics, {}, Look(hud=False)), metrics)

    def answer(index: int) -> FrameResult:
        result = ScriptedModel()(make_frame(index).image, lambda _: nullcontext())
        return FrameResult(make_frame(index), {"m": result})

    stage.take(answer(1))
    assert stage.write_exact(answer(2))
    stage.write_latest(make_frame(3))
    assert sink.results[-1].found_on["m"].index == 2
