"""What of a graph becomes eight-bit numbers, on a graph of four convolutions and a linear layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporters.precision import convert
from models.onnx_session import OnnxSession

STRIDES = {"stem": 1, "shrink": 2, "body": 1, "last": 2}


def network(path: Path, strides: dict[str, int]) -> None:
    """1x1 convolutions by name with their strides, over 2 channels, then a mean and a linear layer to 3 logits."""
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=(2, 2, 1, 1)).astype(np.float32) for name in strides}
    weights["linear"] = rng.normal(size=(2, 3)).astype(np.float32)
    nodes, flows = [], "pixel_values"
    for name, stride in strides.items():
        nodes.append(
            helper.make_node("Conv", [flows, f"{name}.weight"], [f"{name}.out"], name=name, strides=[stride, stride])
        )
        flows = f"{name}.out"
    nodes.append(helper.make_node("ReduceMean", [flows, "axes"], ["mean"], name="mean", keepdims=0))
    nodes.append(helper.make_node("MatMul", ["mean", "linear.weight"], ["logits"], name="linear"))
    tensors = [numpy_helper.from_array(array, f"{name}.weight") for name, array in weights.items()]
    tensors.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 2, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(path))


def fp32_layers(path: Path) -> set[str]:
    """The layers whose weights are still floating-point numbers, by name."""
    graph = onnx.load(str(path)).graph
    floats = {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    return {node.name for node in graph.node if node.op_type in ("Conv", "MatMul") and floats.intersection(node.input)}


@pytest.mark.parametrize(
    ("strides", "whole"),
    [
        # Up to the first stride, which ends the stage that sees the picture.
        (STRIDES, {"stem", "shrink", "linear"}),
        # A stem that shrinks at once is the whole first stage.
        ({"stem": 2, "body": 1}, {"stem", "linear"}),
        # No stage ends: only the layer that writes the answer is kept.
        ({"stem": 1, "body": 1}, {"linear"}),
    ],
    ids=["later", "at once", "never"],
)
def test_a_calibrated_graph_keeps_its_first_stage_and_last_layer(
    tmp_path: Path, strides: dict[str, int], whole: set[str]
) -> None:
    path = tmp_path / "model.onnx"
    network(path, strides)
    pictures = list(np.random.default_rng(1).random((8, 1, 2, 8, 8), np.float32))
    wanted = OnnxSession(path, device="cpu").run({"pixel_values": pictures[0]})["logits"]
    convert(path, "int8", pictures)
    assert fp32_layers(path) == whole
    got = OnnxSession(path, device="cpu").run({"pixel_values": pictures[0]})["logits"]
    assert got == pytest.approx(wanted, abs=0.1 * float(np.abs(wanted).max()))


def test_a_dynamic_graph_keeps_its_convolutions(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    network(path, STRIDES)
    convert(path, "int8")
    assert fp32_layers(path) == set(STRIDES)
