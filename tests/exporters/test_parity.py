"""What passes the gate and what does not, on graphs of a node or two and outputs made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from exporters import agreement
from exporters import export as export_module
from exporters.agreement import Likeness
from exporters.errors import ExportError
from exporters.export import export_package
from exporters.graphs import Graph
from exporters.parity import Gate, ParityLog, compare
from models import load_model
from models.errors import ModelError
from models.manifest import read_manifest
from models.onnx_session import OnnxSession
from models.package import find_package
from tests.exporters.checkpoints import write_checkpoint
from tests.models.conftest import brightness_graph

Outputs = Mapping[str, NDArray[Any]]


def brightness(feed: Outputs) -> Outputs:
    """What the brightness graph computes, in numpy."""
    mean = feed["pixel_values"].mean(axis=(1, 2, 3))
    return {"logits": np.stack([mean, -mean], axis=1)}


def checked(tmp_path: Path, answer: Any, pictures: NDArray[np.float32], gate: Gate) -> ParityLog:
    brightness_graph(tmp_path / "model.onnx")
    session = OnnxSession(tmp_path / "model.onnx", device="cpu")
    log = ParityLog(gate, len(pictures))
    compare(answer, session, [{"pixel_values": picture[None]} for picture in pictures], agreement.classes, log)
    return log


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        # The same numbers pass.
        (brightness, None),
        # 0.4 % off a peak of one: a tenth of a per cent is allowed.
        (lambda feed: {"logits": brightness(feed)["logits"] * 1.004}, "logits by up to"),
        # The wrong class, far within a tolerance on numbers.
        (lambda feed: {"logits": -brightness(feed)["logits"]}, "only 0.0% of the top1 are alike"),
        # An output of another shape.
        (lambda _: {"logits": np.zeros((1, 3), np.float32)}, "logits by up to"),
        (lambda _: {"logits": np.full((1, 2), np.nan)}, "logits by up to"),
    ],
    ids=["equal", "numbers", "classes", "shape", "not finite"],
)
def test_what_differs_is_named(tmp_path: Path, answer: Any, complaint: str | None) -> None:
    pictures = np.linspace(0.5, 1, 16, dtype=np.float32).reshape(4, 1, 2, 2)
    log = checked(tmp_path, answer, pictures, Gate(tolerance=1e-3))
    assert log.spec().passed == (complaint is None)
    if complaint:
        assert complaint in "; ".join(log.complaints)


def test_a_graph_that_does_not_run_fails(tmp_path: Path) -> None:
    log = checked(tmp_path, brightness, np.ones((1, 3, 2, 2), np.float32), Gate())
    assert "logits" in "; ".join(log.complaints)


def detections(*rows: tuple[float, float, float, float]) -> dict[str, NDArray[np.float64]]:
    """One picture's queries: (logit of class 0, logit of class 1, centre x, size)."""
    table = np.array(rows)
    boxes = np.stack([table[:, 2], np.full(len(rows), 0.5), table[:, 3], table[:, 3]], axis=1)
    return {"logits": table[None, :, :2], "pred_boxes": boxes[None]}


CAT, DOG = (3.0, -3.0, 0.3, 0.2), (-3.0, 2.0, 0.7, 0.4)


@pytest.mark.parametrize(
    ("got", "share"),
    [
        (detections(CAT, DOG), 1.0),
        # In another order: a set is a set.
        (detections(DOG, CAT), 1.0),
        # One box moved by a twentieth of its width: IoU 0.9.
        (detections((3.0, -3.0, 0.31, 0.2), DOG), 0.5),
        # One of another class.
        (detections((-3.0, 3.0, 0.3, 0.2), DOG), 0.5),
        # One less sure: 0.953 became 0.881.
        (detections((2.0, -3.0, 0.3, 0.2), DOG), 0.5),
        # One found twice and one not at all: each may be matched once.
        (detections(CAT, CAT), 0.5),
    ],
    ids=["same", "order", "place", "class", "score", "twice"],
)
def test_boxes_are_matched_as_sets(got: Outputs, share: float) -> None:
    assert agreement.boxes(detections(CAT, DOG), got, Likeness()) == {"boxes": share}


@pytest.mark.parametrize(
    ("measure", "wanted", "got", "expected"),
    [
        # Four pixels of three classes, one of them another.
        (
            agreement.pixels,
            {"logits": np.eye(3)[[0, 1, 2, 0]].T.reshape(1, 3, 2, 2)},
            {"logits": np.eye(3)[[0, 1, 2, 1]].T.reshape(1, 3, 2, 2)},
            {"pixels": 0.75},
        ),
        # One plane alone: yes above zero.
        (
            agreement.pixels,
            {"logits": np.array([[[[1.0, -1.0]]]])},
            {"logits": np.array([[[[9.0, 1.0]]]])},
            {"pixels": 0.5},
        ),
        # The best two of six changed places; the best five are the same.
        (
            agreement.classes,
            {"logits": np.array([[6.0, 5, 4, 3, 2, 1]])},
            {"logits": np.array([[5.0, 6, 4, 3, 2, 1]])},
            {"top1": 0.0, "top5": 1.0},
        ),
        # Two masks of two pixels, one pixel on the other side; one query of two names another class.
        (
            agreement.masks,
            {"pred_masks": np.array([[[[1.0, -1], [1, 1]]]]), "logits": np.array([[[1.0, 0], [0, 1]]])},
            {"pred_masks": np.array([[[[1.0, -1], [1, -1]]]]), "logits": np.array([[[1.0, 0], [1, 0]]])},
            {"pixels": 0.75, "classes": 0.5},
        ),
        # A range of ten metres: five centimetres are alike, twenty are not.
        (
            agreement.depth,
            {"predicted_depth": np.array([[[0.0, 10.0]]])},
            {"predicted_depth": np.array([[[0.05, 10.2]]])},
            {"pixels": 0.5},
        ),
        # Fixed texts are classes.
        (
            agreement.zero_shot,
            {"logits": np.array([[2.0, 1, 0]])},
            {"logits": np.array([[1.0, 2, 0]])},
            {"top1": 0.0, "top5": 1.0},
        ),
        # Of two pictures, one's embedding is turned by a hundredth, the other's by a thousandth, and is longer.
        (
            agreement.zero_shot,
            {"image_embeds": np.array([[1.0, 0], [1.0, 0]])},
            {"image_embeds": np.array([[1.0, 0.02], [3.0, 0.003]])},
            {"pictures": 0.5},
        ),
        (
            agreement.zero_shot,
            {"text_embeds": np.array([[0.0, 1]])},
            {"text_embeds": np.array([[0.0, -1]])},
            {"texts": 0.0},
        ),
        # Two heatmaps of four cells; one peak moved.
        (
            agreement.keypoints,
            {"heatmaps": np.array([[[[1.0, 0], [0, 0]], [[0, 0], [0, 1.0]]]])},
            {"heatmaps": np.array([[[[1.0, 0], [0, 0]], [[0, 1.0], [0, 0]]]])},
            {"peaks": 0.5},
        ),
    ],
    ids=["class maps", "binary map", "classes", "masks", "depth", "fixed texts", "pictures", "texts", "keypoints"],
)
def test_shares_are_those_worked_by_hand(
    measure: agreement.Agreement, wanted: Outputs, got: Outputs, expected: dict[str, float]
) -> None:
    assert measure(wanted, got, Likeness()) == expected


def test_the_worst_run_counts() -> None:
    # Nine runs agree in all five of the best classes, one in four: the mean would pass nine tenths.
    log = ParityLog(Gate(agreement=0.9), 10)
    alike = {"logits": np.arange(6.0)[None]}
    for swapped in [alike] * 9 + [{"logits": np.array([[1.0, 0, 2, 3, 4, 5]])}]:
        log.note(alike, {"logits": swapped["logits"].copy()}, agreement.classes)
    assert log.agreement == {"top1": 1.0, "top5": 0.8}
    assert log.complaints[-1] == "only 80.0% of the top5 are alike (needed 90.0%)"


def queries(order: list[int]) -> Outputs:
    table = np.random.default_rng(0).normal(size=(1, 20, 6))[:, order]
    return {"logits": table[..., :2], "pred_boxes": table[..., 2:]}


def test_ranked_queries_may_change_places_but_not_values() -> None:
    gate = Gate(unordered=("logits", "pred_boxes"), rows=0.95)
    in_order, reversed_ = queries(list(range(20))), queries(list(range(20))[::-1])
    for spoilt, passes in ((0, True), (1, True), (2, False)):
        # Of twenty queries, one may be another one; two may not.
        got = {name: array.copy() for name, array in reversed_.items()}
        got["logits"][0, :spoilt] += 5
        log = ParityLog(gate, 1)
        log.note(in_order, got, lambda *_: {})
        assert (not log.complaints) == passes


def break_one_weight(path: Path) -> None:
    """Change one number of the largest weights in the graph, by as much as it is large."""
    graph = onnx.load(str(path))
    weights = max(graph.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
    values = numpy_helper.to_array(weights).copy()
    values.reshape(-1)[np.abs(values).argmax()] *= -1
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(graph, str(path))


@pytest.mark.parametrize("name", ["yolos", "segformer", "vit", "sam", "clip", "depth-anything"])
def test_one_broken_weight_is_seen_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    true_export = export_module._export_graph

    def broken_export(graph: Graph, path: Path, opset: int, size_hw: tuple[int, int]) -> None:
        true_export(graph, path, opset, size_hw)
        break_one_weight(path)

    monkeypatch.setattr(export_module, "_export_graph", broken_export)
    with pytest.raises(ExportError, match=r"differ: \w+ by up to .*marked as failed"):
        export_package(write_checkpoint(name, tmp_path / "checkpoint"), tmp_path / name)
    parity = read_manifest(tmp_path / name).parity
    assert parity is not None
    assert not parity.passed
    with pytest.raises(ModelError, match=r"did not pass its parity check .* --unverified"):
        find_package(tmp_path / name)
    if name == "vit":
        load_model(tmp_path / name, unverified=True)(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("own", "passes"),
    [
        # PyTorch finds the same again after a rounding error: ONNX Runtime has to find it too.
        (1.0, False),
        # PyTorch finds half of it again: nobody can ask for more, less a margin.
        (0.5, True),
        (0.65, False),
    ],
)
def test_no_more_is_asked_than_pytorch_agrees_with_itself(own: float, passes: bool) -> None:
    gate = Gate(unordered=("logits", "pred_boxes"))
    log, shaken = ParityLog(gate, 1), ParityLog(gate, 1)
    log.agreement["boxes"], shaken.agreement["boxes"] = 0.5, own
    log.shaken = shaken
    assert (not log.complaints) == passes
    assert log.spec().self_agreement == {"boxes": own}
