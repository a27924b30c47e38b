"""Several threads on one graph: fair turns, batches that change nothing, and errors that stay where they belong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models import ModelError, load_model
from models.manifest import MANIFEST_NAME, MODEL_NAME, InputSpec, file_sha256
from models.shared_inference import Feeds, Outputs, SharedInference

PATIENCE_SECONDS = 10


class ScriptedGraph:
    """Doubles its input; a run waits until it is let go, and 13 is a number that it cannot stand."""

    def __init__(self) -> None:
        self.runs: list[list[float]] = []
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def __call__(self, feeds: Feeds) -> Outputs:
        values = feeds["x"]
        self.runs.append([float(value) for value in values.reshape(len(values), -1)[:, 0]])
        self.begun.release()
        assert self.let_go.acquire(timeout=PATIENCE_SECONDS)
        if 13 in values:
            raise ModelError("thirteen")
        return {"y": values * 2}


class Crowd:
    """Threads that ask one after another, in an order that is known: each is waiting before the next one asks."""

    def __init__(self, shared: SharedInference, pool: ThreadPoolExecutor) -> None:
        self._shared = shared
        self._pool = pool

    def ask(self, value: float, *, waiting: int, width: int = 1) -> Future[Outputs]:
        """Ask from a thread of its own; returns when so many requests wait for a turn."""
        asked = self._pool.submit(self._shared, {"x": np.full((1, width), value, np.float32)})
        while len(self._shared._waiting) != waiting:
            threading.Event().wait(0.001)
        return asked


def answer(asked: Future[Outputs]) -> float:
    return float(asked.result(PATIENCE_SECONDS)["y"][0, 0])


@pytest.mark.parametrize(
    ("most_rows", "runs"),
    [
        (1, [[1], [2], [3], [4], [5]]),  # no batches: one after the other, as they came
        (2, [[1], [2, 3], [4, 5]]),
        (3, [[1], [2, 3, 4], [5]]),
        (8, [[1], [2, 3, 4, 5]]),  # never waits for more than is there
    ],
)
def test_what_waits_is_run_together_in_the_order_in_which_it_came(most_rows: int, runs: list[list[float]]) -> None:
    graph = ScriptedGraph()
    shared = SharedInference(graph, most_rows=most_rows)
    with ThreadPoolExecutor(5) as pool:
        crowd = Crowd(shared, pool)
        asked = [crowd.ask(1, waiting=0)]
        assert graph.begun.acquire(timeout=PATIENCE_SECONDS)
        asked += [crowd.ask(value, waiting=value - 1) for value in (2, 3, 4, 5)]
        graph.let_go.release(99)
        assert [answer(one) for one in asked] == [2, 4, 6, 8, 10]
    assert graph.runs == runs


def test_pictures_of_another_size_have_a_turn_of_their_own() -> None:
    graph = ScriptedGraph()
    shared = SharedInference(graph, most_rows=8)
    with ThreadPoolExecutor(5) as pool:
        crowd = Crowd(shared, pool)
        asked = [crowd.ask(1, waiting=0)]
        assert graph.begun.acquire(timeout=PATIENCE_SECONDS)
        asked += [crowd.ask(2, waiting=1), crowd.ask(3, waiting=2, width=2), crowd.ask(4, waiting=3)]
        graph.let_go.release(99)
        assert [answer(one) for one in asked] == [2, 4, 6, 8]
    assert graph.runs == [[1], [2, 4], [3]]


def test_a_stream_that_asks_again_at_once_stands_behind_all_others() -> None:
    """A fast stream asks anew whenever it is answered; a slow one that asks once is next."""
    graph = ScriptedGraph()
    shared = SharedInference(graph)
    with ThreadPoolExecutor(3) as pool:
        crowd = Crowd(shared, pool)
        fast = crowd.ask(1, waiting=0)
        assert graph.begun.acquire(timeout=PATIENCE_SECONDS)
        slow = crowd.ask(2, waiting=1)
        again = crowd.ask(3, waiting=2)
        graph.let_go.release()
        assert answer(fast) == 2
        graph.let_go.release()
        assert answer(slow) == 4
        assert not again.done()
        graph.let_go.release()
        assert answer(again) == 6


def test_several_turns_run_at_the_same_time() -> None:
    graph = ScriptedGraph()
    shared = SharedInference(graph, turns=2, most_rows=8)
    with ThreadPoolExecutor(3) as pool:
        crowd = Crowd(shared, pool)
        asked = [crowd.ask(1, waiting=0), crowd.ask(2, waiting=0)]
        for _ in asked:
            assert graph.begun.acquire(timeout=PATIENCE_SECONDS)
        asked.append(crowd.ask(3, waiting=1))
        graph.let_go.release(3)
        assert [answer(one) for one in asked] == [2, 4, 6]
    assert sorted(graph.runs) == [[1], [2], [3]]


def test_an_error_is_only_for_the_one_whose_picture_it_was() -> None:
    graph = ScriptedGraph()
    shared = SharedInference(graph, most_rows=8)
    with ThreadPoolExecutor(4) as pool:
        crowd = Crowd(shared, pool)
        first = crowd.ask(1, waiting=0)
        assert graph.begun.acquire(timeout=PATIENCE_SECONDS)
        asked = [crowd.ask(2, waiting=1), crowd.ask(13, waiting=2), crowd.ask(3, waiting=3)]
        graph.let_go.release(99)
        assert [answer(one) for one in (first, asked[0], asked[2])] == [2, 4, 6]
        with pytest.raises(ModelError, match=r"^thirteen$"):
            asked[1].result(PATIENCE_SECONDS)
        # And it goes on.
        assert answer(pool.submit(shared, {"x": np.full((1, 1), 5, np.float32)})) == 10


def gray_input(*, dynamic_batch: bool) -> InputSpec:
    return InputSpec(
        height=2,
        width=2,
        channels=1,
        colour_order="gray",
        resize="stretch",
        mean=(0.5,),
        std=(0.5,),
        dynamic_batch=dynamic_batch,
    )


def pictures(count: int) -> list[NDArray[np.uint8]]:
    return [np.full((5, 9, 3), 255 * number // count, np.uint8) for number in range(count)]


def test_a_shared_model_says_what_it_says_alone(make_package: Callable[..., Path]) -> None:
    model = load_model(make_package(input=gray_input(dynamic_batch=True)), device="cpu")
    seen = pictures(40)
    alone = [model(picture).to_dict() for picture in seen]
    model.share(8)
    with ThreadPoolExecutor(8) as pool:
        assert [result.to_dict() for result in pool.map(model, seen)] == alone


def whole_batch_graph(path: Path) -> None:
    """Logits that depend on what else is in the batch, as in a graph that is quantized dynamically."""
    nodes = [
        helper.make_node("ReduceMax", ["pixel_values"], ["largest"], keepdims=0),
        helper.make_node("Flatten", ["pixel_values"], ["flat"]),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["two"]),
        helper.make_node("Div", ["two", "largest"], ["logits"]),
    ]
    numbers = {"start": 0, "end": 2, "axis": 1}
    graph = helper.make_graph(
        nodes,
        "whole-batch",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 1, 2, 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in numbers.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.mark.parametrize(
    ("is_dynamic", "is_whole_batch", "most_rows"),
    [
        (True, False, 4),
        (False, False, 1),  # the package allows none
        (True, True, 1),  # it does, but the trial says no
    ],
)
def test_batches_are_made_where_the_package_allows_them_and_a_trial_agrees(
    is_dynamic: bool, is_whole_batch: bool, most_rows: int, make_package: Callable[..., Path]
) -> None:
    folder = make_package(input=gray_input(dynamic_batch=is_dynamic))
    if is_whole_batch:
        path = folder / MODEL_NAME
        old = file_sha256(path)
        whole_batch_graph(path)
        manifest = folder / MANIFEST_NAME
        manifest.write_text(manifest.read_text("utf-8").replace(old, file_sha256(path)), encoding="utf-8")
    model = load_model(folder, device="cpu")
    rows: list[int] = []
    run = model._session.run

    def noting(feeds: Feeds) -> Outputs:
        rows.append(len(feeds["pixel_values"]))
        return run(feeds)

    model._session.run = noting  # type: ignore[method-assign]  # a spy before the graph
    model.share(4)
    assert isinstance(model._run, SharedInference)
    assert model._run._most_rows == most_rows
    # Where a package allows batches, two pictures were tried, alone and together.
    assert rows == ([1, 1, 2] if is_dynamic else [])
