"""Several models on one frame: each as often as it is asked to, and never said to have seen what it has not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.model import StageTimer
from models.results import Result
from stream.metrics import Metrics
from stream.model_step import ModelStep
from stream.pipeline import Pipeline
from stream.sinks import make_sink
from tests.stream.doubles import ScriptedModel, ScriptedSink, ScriptedSource


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (1, [0, 1, 2, 3, 4, 5, 6]),
        (2, [0, 2, 4, 6]),
        (3, [0, 3, 6]),
        (99, [0]),  # longer than the stream: once
    ],
)
def test_a_model_runs_on_the_first_frame_and_every_nth_after_it(every: int, expected: list[int]) -> None:
    model, sink = ScriptedModel(), ScriptedSink()
    pipeline = Pipeline(ScriptedSource(7), [ModelStep(model, every=every)], [sink])
    pipeline.run()
    assert model.seen == expected
    assert [result.frame.index for result in sink.results if not result.carried] == expected
    # Between, the last result stays to be drawn, without stage times: nothing was measured.
    assert all(set(result.results) == {"scripted"} for result in sink.results)
    assert [result.frame.index for result in sink.results if result.stage_ms] == expected
    assert pipeline.metrics.report({})["frames"]["inferred"] == {"scripted": len(expected)}


def test_models_of_one_stream_keep_their_order_and_their_own_pace() -> None:
    often, seldom, sink = ScriptedModel(), ScriptedModel(), ScriptedSink()
    seldom.name = "seldom"
    Pipeline(ScriptedSource(5), [ModelStep(seldom, every=4), often], [sink]).run()
    assert (often.seen, seldom.seen) == ([0, 1, 2, 3, 4], [0, 4])
    assert [list(result.results) for result in sink.results] == [["seldom", "scripted"]] * 5
    assert [result.carried for result in sink.results] == [set(), {"seldom"}, {"seldom"}, {"seldom"}, set()]


def test_a_results_file_holds_only_what_was_inferred_on_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    Pipeline(ScriptedSource(4), [ModelStep(ScriptedModel(), every=3)], [make_sink(str(path))]).run()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [list(line["results"]) for line in lines] == [["scripted"], [], [], ["scripted"]]


def test_a_chain_s_passes_of_a_stage_are_one_figure_a_frame() -> None:
    now_ns = 0

    class Chain(ScriptedModel):
        def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Result:
            nonlocal now_ns
            with timer("inference"):
                now_ns += 5_000_000
            with timer("inference"):
                now_ns += 2_000_000
            return super().__call__(image, timer)

    sink, metrics = ScriptedSink(), Metrics(["scripted"], clock_ns=lambda: now_ns)
    Pipeline(ScriptedSource(3), [Chain()], [sink], metrics=metrics).run()
    assert [result.stage_ms["scripted"]["inference"] for result in sink.results] == [7.0, 7.0, 7.0]
    assert metrics.report({})["stage_ms"]["inference"] == {"p50": 7.0, "p95": 7.0}
