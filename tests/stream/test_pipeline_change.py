"""Parts of a running pipeline exchanged: each stage takes over between two frames, nothing is lost or left open."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from typing_extensions import override

from models.errors import ModelError
from stream.controls import Controls
from stream.errors import SinkError
from stream.live_parts import LiveParts, Look
from stream.model_step import ModelStep, PipelineModel
from stream.overlays.emphasis import Emphasis
from stream.pipeline import Pipeline
from stream.sinks.sink import Sink
from tests.stream.doubles import ScriptedModel, ScriptedSink, ScriptedSource
from tests.stream.test_pipeline import run

PATIENCE_SECONDS = 10
FRAMES = 40
CHANGED_AT = 9


def steps(*models: PipelineModel) -> list[ModelStep]:
    return [ModelStep(model) for model in models]


class Changing:
    """A pipeline that is changed while its first sink writes a frame."""

    def __init__(self, **sink: Exception) -> None:
        self.models = [ScriptedModel(), ScriptedModel()]
        self.models[1].name = "other"
        self.first = ScriptedSink(after_write=self._change, **sink)  # type: ignore[arg-type]  # the two failures
        self.second = ScriptedSink()
        self.step = ModelStep(self.models[0])
        self.source = ScriptedSource(FRAMES)
        self.pipeline = Pipeline(self.source, [self.step], [self.first])
        self.parts: Callable[[], LiveParts] = lambda: LiveParts([self.step], [self.first])
        self.answers: list[SinkError | None] = []
        self._is_done = threading.Event()

    def _change(self, index: int) -> None:
        if index != CHANGED_AT:
            return

        def done(error: SinkError | None) -> None:
            self.answers.append(error)
            assert threading.current_thread() is threading.main_thread()
            self._is_done.set()

        self.pipeline.change(self.parts(), done)
        assert self._is_done.wait(PATIENCE_SECONDS)


def test_sinks_change_at_one_frame_and_none_gets_a_frame_twice() -> None:
    changing = Changing()
    stays = ScriptedSink(needs_image=False)
    changing.pipeline = Pipeline(changing.source, [changing.step], [changing.first, stays])
    changing.parts = lambda: LiveParts([changing.step], [stays, changing.second])
    frames = run(changing.pipeline)
    assert changing.answers == [None]
    assert changing.first.indices == list(range(CHANGED_AT + 1))
    assert changing.second.indices == list(range(CHANGED_AT + 1, FRAMES))
    assert stays.indices == list(range(FRAMES))
    assert [sink.closed for sink in (changing.first, changing.second, stays)] == [1, 1, 1]
    assert not changing.first.wrote_after_close
    assert frames["written"] == FRAMES


def test_a_sink_that_cannot_open_leaves_all_as_it_was() -> None:
    changing = Changing()
    refused = ScriptedSink(open_failure=SinkError("taken"))
    changing.parts = lambda: LiveParts(steps(changing.models[1]), [changing.second, refused])
    frames = run(changing.pipeline)
    assert [str(answer) for answer in changing.answers] == ["taken"]
    assert changing.first.indices == list(range(FRAMES))
    assert (changing.second.indices, changing.second.closed, refused.closed) == ([], 1, 1)
    assert frames["inferred"] == {"scripted": FRAMES}


def test_models_change_between_two_frames_and_the_ledger_names_both() -> None:
    changing = Changing()
    changing.parts = lambda: LiveParts(steps(changing.models[1]), [changing.first])
    frames = run(changing.pipeline)
    before, after = (model.seen for model in changing.models)
    assert before + after == list(range(FRAMES))
    assert before
    assert after
    assert frames["inferred"] == {"scripted": len(before), "other": len(after)}
    for result in changing.first.results:
        assert set(result.results) == {"scripted" if result.frame.index < len(before) else "other"}
    assert set(changing.pipeline.providers) == {"other"}


def test_without_models_pictures_go_on() -> None:
    changing = Changing()
    changing.parts = lambda: LiveParts([], [changing.first])
    frames = run(changing.pipeline)
    assert frames["written"] == FRAMES
    assert not changing.first.results[-1].results


def test_what_is_drawn_changes_and_what_a_person_chose_stays_where_nothing_else_was_said() -> None:
    changing = Changing()
    emphasis = Emphasis("yes", "white")
    looks = iter((Look(emphasis=emphasis), Look(hud=False, emphasis=emphasis)))
    changing.parts = lambda: LiveParts([changing.step], [changing.first], next(looks))
    run(changing.pipeline)
    assert changing.pipeline.controls.classes.emphasis == emphasis


def test_a_model_that_breaks_after_it_was_changed_to_ends_the_stream_with_its_error() -> None:
    changing = Changing()
    broken = ScriptedModel(fails_at=3, failure=ModelError("broke"))
    changing.parts = lambda: LiveParts(steps(broken), [changing.first])
    with pytest.raises(ModelError, match=r"^broke$"):
        run(changing.pipeline)
    assert changing.first.indices[-1] == len(changing.models[0].seen) + 2


def test_a_file_that_cannot_be_finished_is_said_when_it_is_and_is_the_run_s_failure_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changing = Changing(close_failure=SinkError("the disk is full"))
    changing.parts = lambda: LiveParts([changing.step], [changing.second])
    with pytest.raises(SinkError, match="the disk is full"):
        run(changing.pipeline)
    assert "the disk is full" in caplog.text
    assert changing.second.indices == list(range(CHANGED_AT + 1, FRAMES))


def test_no_picture_waits_for_a_file_that_is_being_finished() -> None:
    wrote_last = threading.Event()

    class Slow(ScriptedSink):
        @override
        def close(self) -> None:
            assert wrote_last.wait(PATIENCE_SECONDS)
            super().close()

    changing = Changing()
    slow = Slow()
    changing.pipeline = Pipeline(changing.source, [changing.step], [slow, changing.first])
    last = ScriptedSink(after_write=lambda index: wrote_last.set() if index == FRAMES - 1 else None)
    changing.parts = lambda: LiveParts([changing.step], [last])
    run(changing.pipeline)
    assert (slow.closed, last.indices[-1]) == (1, FRAMES - 1)


def test_a_window_that_is_taken_away_is_attended_to_until_it_is_closed() -> None:
    attended_after_close: list[int] = []

    class Window(ScriptedSink):
        @override
        def attend(self, controls: Controls, seconds: float) -> bool:
            if self.closed:
                attended_after_close.append(self.closed)
            return False

    changing = Changing()
    window: Sink = Window()
    changing.pipeline = Pipeline(changing.source, [changing.step], [window, changing.first])
    changing.parts = lambda: LiveParts([changing.step], [changing.first])
    run(changing.pipeline)
    assert attended_after_close


def test_recorded_pictures_wait_for_models_as_they_did() -> None:
    changing = Changing()
    changing.parts = lambda: LiveParts([changing.step], [changing.first], timing="latest")
    run(changing.pipeline)
    assert changing.first.indices == list(range(FRAMES))
    assert not any(result.carried for result in changing.first.results)


def test_the_age_from_which_frames_are_dropped_may_change() -> None:
    # Every frame was captured at 0 by the clock: none is young enough.
    changing = Changing()
    changing.parts = lambda: LiveParts([changing.step], [changing.first], max_age_ms=1e-6)
    frames = run(changing.pipeline)
    assert frames["dropped"]["too_old"] > 0
    assert frames["captured"] == FRAMES


def test_a_change_that_comes_when_the_stream_has_ended_opens_nothing() -> None:
    changing = Changing()
    run(changing.pipeline)
    changing.pipeline.change(LiveParts([], [changing.second]), changing.answers.append)
    assert not changing.pipeline.attend(0)
    assert not changing.second.opened
