"""Several streams with scripted parts at the same time: one neither starves, breaks nor outlives another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from models.errors import ModelError
from stream.controls import Controls
from stream.errors import SinkError, SourceError
from stream.pipeline import Pipeline
from stream.stream_group import GroupListener, StreamGroup
from tests.stream.doubles import ScriptedModel, ScriptedSink, ScriptedSource

PATIENCE_SECONDS = 10


@dataclass
class Audience:
    """Remembers what it is told, and on which thread."""

    begun: list[str] = field(default_factory=list)
    ended: list[tuple[str, str | None]] = field(default_factory=list)
    threads: set[threading.Thread] = field(default_factory=set)
    follow: Callable[[], None] = lambda: None

    def begins(self, name: str, _pipeline: Pipeline) -> Callable[[], None]:
        self.threads.add(threading.current_thread())
        self.begun.append(name)
        return self.follow

    def has_ended(self, name: str, error: Exception | None) -> None:
        self.threads.add(threading.current_thread())
        self.ended.append((name, None if error is None else str(error)))

    @property
    def listener(self) -> GroupListener:
        return GroupListener(self.begins, self.has_ended)


@dataclass
class Stream:
    """The scripted parts of one stream."""

    source: ScriptedSource
    sink: ScriptedSink = field(default_factory=ScriptedSink)
    model: ScriptedModel = field(default_factory=ScriptedModel)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.source, [self.model], [self.sink])


def run(streams: dict[str, Stream], audience: Audience | None = None, recordings_at_once: int = 8) -> Audience:
    """Run, and return who was told after checking that every ledger balances and that nothing is left open."""
    audience = audience or Audience()
    pipelines = {name: stream.pipeline for name, stream in streams.items()}
    try:
        StreamGroup(pipelines, audience.listener, recordings_at_once=recordings_at_once).run()
    finally:
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("mirilla-")]
        for stream in streams.values():
            frames = stream.pipeline.metrics.report({})["frames"]
            assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
            assert stream.source.closed.is_set() or not stream.sink.opened
            assert stream.sink.closed or not stream.sink.opened
            assert not stream.sink.wrote_after_close
    return audience


def test_streams_run_at_the_same_time_each_with_its_own_ledger() -> None:
    # Each waits at its third frame for all others: one after the other they would never end.
    meeting = threading.Barrier(3)

    def meet(index: int) -> None:
        if index == 2:
            meeting.wait(PATIENCE_SECONDS)

    streams = {str(frames): Stream(ScriptedSource(frames), ScriptedSink(after_write=meet)) for frames in (5, 50, 20)}
    audience = run(streams)
    assert audience.begun == ["5", "50", "20"]
    assert sorted(audience.ended) == [("20", None), ("5", None), ("50", None)]
    assert audience.threads == {threading.current_thread()}
    for name, stream in streams.items():
        assert stream.sink.indices == list(range(int(name)))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"source": ScriptedSource(5, failure=SourceError("broke"))}, "broke"),
        ({"model": ScriptedModel(fails_at=2, failure=ModelError("broke"))}, "broke"),
        ({"sink": ScriptedSink(write_failure=SinkError("broke"), fails_at=3)}, "broke"),
        ({"sink": ScriptedSink(close_failure=SinkError("broke"))}, "broke"),
        ({"model": ScriptedModel(fails_at=0, failure=ValueError("broke"))}, "broke"),  # not only Mirilla's own errors
    ],
    ids=["source", "model", "sink", "close", "defect"],
)
def test_a_stream_that_fails_leaves_the_others_alone(parts: dict[str, object], error: str) -> None:
    broken = Stream(**({"source": ScriptedSource(20)} | parts))  # type: ignore[arg-type]  # a table's row
    has_failed = threading.Event()

    class Told(Audience):
        @override
        def has_ended(self, name: str, error: Exception | None) -> None:
            super().has_ended(name, error)
            has_failed.set()

    # The other is not half through when the failure is told.
    others = ScriptedSink(after_write=lambda index: index != 10 or has_failed.wait(PATIENCE_SECONDS))
    whole = Stream(ScriptedSource(30), others)
    audience = run({"broken": broken, "whole": whole}, Told())
    assert audience.ended == [("broken", error), ("whole", None)]
    assert whole.sink.indices == list(range(30))


def test_a_sink_that_cannot_open_is_said_before_any_stream_begins() -> None:
    streams = {
        "good": Stream(ScriptedSource(5)),
        "bad": Stream(ScriptedSource(5), ScriptedSink(open_failure=SinkError("broke"))),
    }
    audience = Audience()
    with pytest.raises(SinkError, match=r"^broke$"):
        StreamGroup({name: stream.pipeline for name, stream in streams.items()}, audience.listener).run()
    assert (audience.begun, audience.ended) == ([], [])
    assert [stream.source.yielded for stream in streams.values()] == [0, 0]
    assert [stream.source.closed.is_set() for stream in streams.values()] == [True, True]
    assert [stream.sink.closed for stream in streams.values()] == [1, 1]


def test_recordings_take_turns_and_live_streams_do_not() -> None:
    cameras_run = threading.Barrier(3)

    def camera() -> Stream:
        return Stream(ScriptedSource(5, is_live=True), model=ScriptedModel(before=meet_once()))

    def meet_once() -> Callable[[], object]:
        met = threading.Event()

        def meet() -> None:
            if not met.is_set():
                met.set()
                cameras_run.wait(PATIENCE_SECONDS)

        return meet

    running: list[str] = []
    most_at_once: list[int] = []

    def recording(name: str) -> Stream:
        def note() -> None:
            running.append(name)
            most_at_once.append(len(set(running)))

        class Sink(ScriptedSink):
            @override
            def close(self) -> None:
                super().close()
                running[:] = [other for other in running if other != name]

        return Stream(ScriptedSource(4), Sink(), ScriptedModel(before=note))

    streams = {name: recording(name) for name in ("a", "b", "c")} | {name: camera() for name in ("x", "y", "z")}
    audience = run(streams, recordings_at_once=1)
    # The first recording and every camera begin at once; the other recordings when the one before has ended.
    assert audience.begun == ["a", "x", "y", "z", "b", "c"]
    assert set(most_at_once) == {1}
    assert {name for name, error in audience.ended if error is None} == set(streams)


def test_a_recording_that_cannot_begin_in_its_turn_is_its_own_failure() -> None:
    streams = {
        "first": Stream(ScriptedSource(5)),
        "second": Stream(ScriptedSource(5), ScriptedSink(open_failure=SinkError("broke"))),
        "third": Stream(ScriptedSource(5)),
    }
    assert run(streams, recordings_at_once=1).ended == [("first", None), ("second", "broke"), ("third", None)]


def test_stop_finishes_all_and_begins_no_more() -> None:
    streams = {
        "camera": Stream(ScriptedSource(5, blocks_at_end=True, is_live=True)),
        "video": Stream(ScriptedSource(5, blocks_at_end=True)),
        "later": Stream(ScriptedSource(5)),
    }

    def stop_when_the_video_is_written() -> None:
        if streams["video"].pipeline.metrics.snapshot().written == 5:
            group.stop()

    audience = Audience(follow=stop_when_the_video_is_written)
    group = StreamGroup(
        {name: stream.pipeline for name, stream in streams.items()}, audience.listener, recordings_at_once=1
    )
    group.run()
    assert sorted(audience.ended) == [("camera", None), ("video", None)]
    assert streams["video"].sink.indices == [0, 1, 2, 3, 4]
    assert [stream.sink.closed for stream in streams.values()] == [1, 1, 0]


def test_a_caller_that_is_interrupted_leaves_nothing_running() -> None:
    streams = {name: Stream(ScriptedSource(5, blocks_at_end=True)) for name in ("a", "b")}

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(streams, Audience(follow=interrupt))
    assert [stream.sink.indices for stream in streams.values()] == [[0, 1, 2, 3, 4]] * 2


def test_every_sink_is_attended_to_on_one_thread_while_all_run() -> None:
    attended_while_both_ran = threading.Event()

    class Window(ScriptedSink):
        @override
        def attend(self, controls: Controls, seconds: float) -> bool:
            threads.add(threading.current_thread())
            is_running = not controls.is_stopping
            if is_running:
                seen.add(id(self))
            if len(seen) == 2:
                attended_while_both_ran.set()
            return is_running

    seen: set[int] = set()
    threads: set[threading.Thread] = set()
    windows = [Window(), Window()]
    # No model answers before both windows have had a turn.
    streams = {
        str(number): Stream(
            ScriptedSource(3), window, ScriptedModel(before=lambda: attended_while_both_ran.wait(PATIENCE_SECONDS))
        )
        for number, window in enumerate(windows)
    }
    run(streams)
    assert attended_while_both_ran.is_set()
    assert threads == {threading.current_thread()}
