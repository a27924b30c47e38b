"""Half and eight-bit precision, and what a model in each has to hold against fp32 PyTorch.

Called by the exporter once the fp32 graph has passed its gate. Whether the result is faster is the machine's affair:
`mirilla export --tune` measures it.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

from exporters.agreement import Likeness
from exporters.errors import ExportError
from exporters.parity import Gate
from models.manifest import Precision

_LOOSE = Likeness(min_iou=0.8, score_gap=0.1, score_share=0.5, depth_gap=0.05, min_cosine=0.98)

PRECISION_GATES: dict[Precision, Gate] = {
    "fp32": Gate(tolerance=1e-3, agreement=0.999),
    "fp16": Gate(tolerance=5e-2, agreement=0.98, likeness=_LOOSE),
    # Eight bits move every logit: what counts is what they decode to.
    "int8": Gate(tolerance=1.0, agreement=0.9, likeness=_LOOSE),
}
_DYNAMIC = frozenset({"MatMul", "Gemm", "Attention"})
_CALIBRATED = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm"})
"""Where the time goes; sums and pools in whole numbers cost accuracy and save little."""


def convert(path: Path, precision: Precision, calibration: Sequence[NDArray[np.float32]] = ()) -> None:
    """Rewrite an fp32 graph in another precision; its inputs and outputs stay float32.

    Args:
        path: the file.
        precision: `fp16` or `int8`.
        calibration: inputs float32 (1, C, H, W) that set the ranges of activations, once for ever; empty measures them
            anew in every run (dynamic), which convolutions have no kernels for and stay out of.

    Raises:
        ExportError: the graph has an operator that cannot be converted.
    """
    try:
        with _quiet():
            if precision == "fp16":
                _halve(path)
            else:
                _quantize(path, calibration)
    except OSError:
        raise
    except Exception as error:  # the converters raise whatever the operator at fault raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"--precision: the graph cannot be converted to {precision}: {reason}") from error


def _halve(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        ready = Path(folder) / "ready.onnx"
        # Constants are folded while they are whole. In half precision casts stand in the way, and ONNX Runtime moves
        # the transposes of Depth Anything's position embeddings through a cubic resize that it then cannot run.
        quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
        half = convert_float_to_float16(onnx.load(str(ready)), keep_io_types=True)
    # A tensor that two operators without half precision read (DETR's mask, summed along both axes) is cast once for
    # each, by nodes of one name; a graph has one node an output.
    nodes: dict[tuple[str, ...], onnx.NodeProto] = {}
    for node in half.graph.node:
        nodes.setdefault(tuple(node.output), node)
    del half.graph.node[:]
    half.graph.node.extend(nodes.values())
    onnx.save(half, str(path))


def _quantize(path: Path, calibration: Sequence[NDArray[np.float32]]) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        ready, quantized = Path(folder) / "ready.onnx", Path(folder) / "quantized.onnx"
        # Symbolic shape inference knows no answer for some detectors, and is not needed for right results.
        quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
        if calibration:
            quantize_static(
                str(ready),
                str(quantized),
                _Reader(calibration),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=sorted(_CALIBRATED),
                nodes_to_exclude=_kept_whole(onnx.load(str(ready)).graph),
                # Processors without VNNI saturate where eight-bit weights meet eight-bit activations; packages travel.
                reduce_range=True,
            )
        else:
            kinds = {node.op_type for node in onnx.load(str(ready)).graph.node} & _DYNAMIC
            quantize_dynamic(str(ready), str(quantized), op_types_to_quantize=sorted(kinds), per_channel=True)
        quantized.replace(path)


def _kept_whole(graph: onnx.GraphProto) -> list[str]:
    """The names of the layers that stay in fp32: the first stage and the last layers.

    The convolutions up to the first with a stride see the picture itself, whose few large values 256 steps serve worst.
    What the last layers write is the answer; on a grid of 256 steps near-equal logits would be equal.
    """
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    strided = [any(step > 1 for step in _strides(node)) for node in convolutions]
    first = convolutions[: strided.index(True) + 1] if True in strided else []
    return [node.name for node in (*first, *_last_layers(graph))]


def _last_layers(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The layers with weights whose results reach an output through no further one."""
    makers = {name: node for node in graph.node for name in node.output}
    asked, seen, found = [output.name for output in graph.output], set[str](), []
    while asked:
        name = asked.pop()
        node = makers.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.op_type in _CALIBRATED:
            found.append(node)
        else:
            asked.extend(node.input)
    return found


def _strides(convolution: onnx.NodeProto) -> list[int]:
    return [step for attribute in convolution.attribute if attribute.name == "strides" for step in attribute.ints]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands the calibration pictures over one by one, as ONNX Runtime asks for them."""

    def __init__(self, pictures: Sequence[NDArray[np.float32]]) -> None:
        self._feeds = iter([{"pixel_values": picture} for picture in pictures])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._feeds, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantizer's advice to the log is for its own developers."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
