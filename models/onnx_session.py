"""One ONNX graph, ready to run on a provider that was chosen and is said: the only file that imports onnxruntime.

Called on the infer thread. Providers are explicit: what the user asks for is taken or refused, never replaced. `cuda`
means that CUDA runs the whole graph; `auto` takes CUDA where it is seen to work, lets it leave single nodes to the CPU,
and says what it took and why.

Pictures come from the CPU and results are needed there, so tensors are handed to `run`, which makes the two copies
itself: IO binding would make the same two, and helps where tensors stay on the device
(https://onnxruntime.ai/docs/performance/tune-performance/iobinding.html). `tests/gpu` holds it to the same answers.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.cuda_libraries import CUDA, INSTALL, Obstacle, cuda_obstacle
from models.errors import ModelError

Device = Literal["auto", "cpu", "cuda"]
GraphOptimization = Literal["disabled", "basic", "extended", "all"]

CPU = "CPUExecutionProvider"

_FATAL_ONLY = 4
_LEFT_TO_CPU = "assigned to the default CPU EP"
"""What ONNX Runtime says where the graph, or all of it, would fall to the CPU that it was forbidden."""

_log = logging.getLogger("mirilla")
_LEVELS = {
    "disabled": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of the graph.

    Attributes:
        name: as the graph calls it.
        shape: None where an axis is dynamic.
        dtype: numpy's name of the element type: `float32`.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class OnnxSession:
    """A loaded graph.

    Attributes:
        provider: the provider that runs the graph: `CPUExecutionProvider`.
        why_not_cuda: with `auto`, what kept CUDA from being taken; None where it was taken, or not asked for.
        inputs, outputs: of the graph, in its order.
        metadata: what the graph's maker wrote into it.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: Device = "auto",
        threads: int | None = None,
        graph_optimization: GraphOptimization = "all",
    ) -> None:
        """Load a graph.

        Args:
            path: the `.onnx` file.
            device: `cuda` runs every node there or is refused; `auto` takes CUDA where it truly works, else the CPU.
            threads: threads within an operator; None leaves it to ONNX Runtime (one a core).
            graph_optimization: how far ONNX Runtime may rewrite the graph.

        Raises:
            ModelError: the file is no ONNX graph that runs here, or CUDA was asked for and does not work.
        """
        self._path = path
        self._threads = threads
        self._graph_optimization = graph_optimization
        self.why_not_cuda: str | None = None
        self._is_placement_known = False
        obstacle = cuda_obstacle() if device != "cpu" else None
        if device == "cuda":
            self._session = self._only_on_cuda(obstacle)
        elif device == "auto" and obstacle is None:
            self._session = self._on_cuda_if_it_takes()
        else:
            self.why_not_cuda = obstacle.what if obstacle else None
            self._session = self._load([CPU])
        self.provider: str = self._session.get_providers()[0]
        # Some of what CUDA needs is loaded by the first run only, so that run decides whether `auto` stays there.
        self._may_leave_cuda = device == "auto" and self.provider == CUDA
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name for inputs by name.

        Raises:
            ModelError: the inputs do not fit the graph, or it failed while it ran.
        """
        names = [output.name for output in self.outputs]
        try:
            values = self._session.run(names, dict(feeds))
        except Exception as error:  # ONNX Runtime's exceptions have no common root but this
            if not self._may_leave_cuda:
                raise ModelError(f"the model failed while it ran: {_explained(error)}") from error
            self._leave_cuda(_explained(error))
            return self.run(feeds)
        self._may_leave_cuda = False
        return dict(zip(names, values, strict=True))

    def node_counts(self) -> dict[str, int]:
        """How many nodes of the graph run on each provider, by its name; empty where CUDA was not looked for."""
        counts = Counter[str]()
        for part in self._session.get_provider_graph_assignment_info() if self._is_placement_known else ():
            counts[part.ep_name] += len(part.get_nodes())
        return dict(counts)

    def _only_on_cuda(self, obstacle: Obstacle | None) -> Any:
        if obstacle:
            raise ModelError(f"device: 'cuda' does not work here: {obstacle.what}; {obstacle.mend}, or use device: cpu")
        try:
            session = self._load([CUDA], cpu_fallback=False)
        except ModelError as error:
            if _LEFT_TO_CPU not in str(error.__cause__):
                raise
            raise ModelError(f"device: 'cuda': {self._left_to_cpu()}, or use device: cpu") from error
        return session

    def _left_to_cpu(self) -> str:
        """Why ONNX Runtime would not run a graph on CUDA alone, with the mend."""
        session = self._load([CUDA, CPU])
        if session.get_providers()[0] != CUDA:
            return f"ONNX Runtime could not start CUDA; check the driver ('mirilla doctor'), {INSTALL}"
        parts = session.get_provider_graph_assignment_info()
        kinds = Counter(node.op_type for part in parts if part.ep_name == CPU for node in part.get_nodes())
        most = ", ".join(kind for kind, _ in kinds.most_common(4))
        return (
            f"{kinds.total()} nodes of {self._path} have to run on the CPU ({most}); "
            "use device: auto, which lets them, export it with a fixed --size"
        )

    def _on_cuda_if_it_takes(self) -> Any:
        try:
            session = self._load([CUDA, CPU])
        except ModelError as error:
            self.why_not_cuda = _explained(error.__cause__ or error)
            session = self._load([CPU])
            _log.warning("device: auto took the CPU for %s: %s", self._path, self.why_not_cuda)
            return session
        if session.get_providers()[0] != CUDA:
            self.why_not_cuda = "ONNX Runtime could not start it"
        return session

    def _leave_cuda(self, why: str) -> None:
        self.why_not_cuda = why
        self._may_leave_cuda = False
        self._session = self._load([CPU])
        self.provider = CPU
        _log.warning("device: auto took the CPU for %s: CUDA failed at the first run: %s", self._path, why)

    def _load(self, providers: list[str], *, cpu_fallback: bool = True) -> Any:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = _LEVELS[self._graph_optimization]
        # Waiting threads that spin take the core from the decoder and the encoder that run beside.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _FATAL_ONLY
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        self._is_placement_known = CUDA in providers
        if self._is_placement_known:
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
            # CUDA has kernels neither for convolutions in eight bits nor for their biases in 32: constants become
            # floats at once, in the place of nodes that would fall to the CPU.
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        if not cpu_fallback:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        try:
            # Without enable_fallback=0 a provider that fails is replaced, now or in the middle of a run.
            return onnxruntime.InferenceSession(os.fspath(self._path), options, providers=providers, enable_fallback=0)
        except Exception as error:  # ONNX Runtime's exceptions have no common root but this
            reason = _explained(error)
            raise ModelError(f"{self._path}: no ONNX model that runs here ({reason}); export it again") from error


def _spec(node: Any) -> TensorSpec:
    shape = tuple(axis if isinstance(axis, int) else None for axis in node.shape)
    dtype = _DTYPES.get(node.type)
    return TensorSpec(node.name, shape, np.dtype(dtype).name if dtype else node.type)


def _explained(error: BaseException) -> str:
    """The first line of what ONNX Runtime says, or what it means for the user where that is known."""
    text = str(error).strip()
    if "cuDNN is not available" in text or "cuDNN library was not found" in text:
        return f"cuDNN is missing; {INSTALL}"
    return text.splitlines()[0] if text else type(error).__name__
