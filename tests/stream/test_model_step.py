"""Several models on one frame: each as often as it is asked to, and never said to have seen what it has not."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.model import StageTimer
from models.results import Detections, Result
from stream.counting import ObjectCounter
from stream.frame import Frame
from stream.infer_stage import InferStage
from stream.metrics import Metrics
from stream.model_step import ModelStep
from stream.pipeline import Pipeline
from stream.scene_change import SceneChange
from stream.sinks import make_sink
from stream.tracking import Tracker
from tests.stream.doubles import ScriptedModel, ScriptedSink, ScriptedSource, make_frame


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


def test_a_model_rests_while_the_scene_does_not_change() -> None:
    model, sink = ScriptedModel(), ScriptedSink()
    # Levels 0, 1, 2, ...: the eleventh differs by 11 from the first, and becomes what later ones are compared with.
    pipeline = Pipeline(ScriptedSource(20), [ModelStep(model, skip_unchanged=True)], [sink])
    pipeline.run()
    assert model.seen == [0, 11]
    assert [result.frame.index for result in sink.results if not result.carried] == [0, 11]
    # What was skipped holds on its own frame, so that it neither moves nor fades.
    assert all(result.found_on.get("scripted", result.frame) is result.frame for result in sink.results)
    frames = pipeline.metrics.report({})["frames"]
    assert (frames["inferred"], frames["skipped"]) == ({"scripted": 2}, {"scripted": 18})


def test_a_model_that_runs_seldom_may_rest_at_its_turn_too() -> None:
    model, sink = ScriptedModel(), ScriptedSink()
    step = ModelStep(model, every=4, skip_unchanged=True)
    Pipeline(ScriptedSource(15), [step], [sink]).run()
    assert model.seen == [0, 12]  # at 4 and at 8 nothing had changed
    held_since = [result.found_on.get("scripted", result.frame).index for result in sink.results]
    assert held_since == [0] * 4 + [4] * 4 + [8] * 4 + [12] * 3


@pytest.mark.parametrize(
    ("size_wh", "box_ltrb", "level", "seconds", "expected"),
    [
        ((640, 360), (0, 0, 0, 0), 0, 0.04, True),  # the same picture
        ((640, 360), (0, 0, 640, 360), 9, 0.04, True),  # a little brighter all over
        ((640, 360), (0, 0, 640, 360), 12, 0.04, False),  # a light was turned on
        ((640, 360), (300, 100, 320, 120), 60, 0.04, False),  # something small, far away
        ((640, 360), (300, 100, 303, 103), 60, 0.04, True),  # a speck
        ((1280, 720), (600, 200, 640, 240), 60, 0.04, False),
        ((64, 48), (0, 0, 4, 4), 60, 0.04, False),
        ((1, 1), (0, 0, 1, 1), 60, 0.04, False),
        ((640, 360), (0, 0, 0, 0), 0, 2.0, False),  # looks anyway, after two seconds
        ((640, 360), (0, 0, 0, 0), 0, -1.0, False),  # a stream that began anew
    ],
)
def test_what_counts_as_a_change(
    size_wh: tuple[int, int], box_ltrb: tuple[int, int, int, int], level: int, seconds: float, expected: bool
) -> None:
    before = np.full((size_wh[1], size_wh[0], 3), 100, np.uint8)
    after = before.copy()
    left, top, right, bottom = box_ltrb
    after[top:bottom, left:right] += level
    change = SceneChange()
    assert not change.is_unchanged(Frame(before, 1000, Fraction(1, 1000), 0, 0))
    assert change.is_unchanged(Frame(after, 1000 + round(seconds * 1000), Fraction(1, 1000), 1, 0)) is expected


def test_a_change_of_size_is_a_change() -> None:
    stage = InferStage([ModelStep(ScriptedModel(), every=9)])
    sizes = [(64, 48), (64, 48), (32, 48), (32, 48)]
    seen = [stage.look(make_frame(index, *size_wh)) for index, size_wh in enumerate(sizes)]
    assert [bool(result.carried) for result in seen] == [False, True, False, True]


def test_noise_that_averages_away_is_no_change() -> None:
    randomness = np.random.default_rng(0)
    change = SceneChange()
    for index in range(20):
        noisy = (128 + 4 * randomness.standard_normal((360, 640, 3))).astype(np.uint8)
        assert change.is_unchanged(Frame(noisy, index, Fraction(1, 25), index, 0)) is (index > 0)


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


class ScriptedDetector:
    """Finds an object at the left, of score 0.9, and one at the right, of score 0.4."""

    name, provider = "scripted", "CPUExecutionProvider"

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Detections:  # noqa: ARG002 - PipelineModel
        boxes = np.array([[5, 5, 20, 30], [40, 5, 60, 30]], np.float32)
        scores, class_ids = np.array([0.9, 0.4], np.float32), np.zeros(2, np.int64)
        return Detections("object_detection", boxes, scores, class_ids, ("person",))


def test_a_step_that_takes_the_place_of_another_keeps_its_objects_and_counts_and_has_its_own_threshold() -> None:
    tracker, counter = Tracker(0.5), ObjectCounter()
    before = ModelStep(ScriptedDetector(), tracker=tracker, counter=counter)
    after = ModelStep(ScriptedDetector(), tracker=tracker, threshold=0.3, counter=counter)
    stage = InferStage([before])
    ids: list[list[int]] = []
    for index in range(8):
        if index == 4:
            stage.change([after])
        found = stage.look(make_frame(index)).results["scripted"]
        assert isinstance(found, Detections)
        assert found.track_ids is not None
        ids.append(found.track_ids.tolist())
    assert ids[3] == [1]
    assert ids[-1] == [1, 2]  # the unsure one begins a track now, and the sure one is who it was
    assert stage.counts["scripted"]["unique"] == {"person": 2}
    assert stage.metrics.report({})["frames"]["inferred"] == {"scripted": 8}


def test_counts_of_a_model_that_is_gone_stay_in_the_report() -> None:
    class Other(ScriptedDetector):
        name = "other"

    stage = InferStage([ModelStep(ScriptedDetector(), counter=ObjectCounter())])
    stage.look(make_frame(0))
    stage.change([ModelStep(Other(), counter=ObjectCounter())])
    stage.look(make_frame(1))
    assert stage.counts == {"scripted": {"present": {"person": 2}}, "other": {"present": {"person": 2}}}
