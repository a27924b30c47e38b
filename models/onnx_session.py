"""One ONNX graph, ready to run on a provider that was chosen and is said: the only file that imports onnxruntime.

Called on the infer thread. Providers are explicit: what the user asks for is taken or refused, never replaced.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.errors import ModelError

Device = Literal["auto", "cpu", "cuda"]
GraphOptimization = Literal["disabled", "basic", "extended", "all"]

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_FATAL_ONLY = 4
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
    """A loaded graph."""

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
            device: `auto` takes CUDA where it truly works, else the CPU.
            threads: threads within an operator; None leaves it to ONNX Runtime (one a core).
            graph_optimization: how far ONNX Runtime may rewrite the graph.

        Raises:
            ModelError: the file is no ONNX graph that runs here, or CUDA was asked for and does not work.
        """
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = _LEVELS[graph_optimization]
        # Waiting threads that spin take the core from the decoder and the encoder that run beside.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _FATAL_ONLY
        if threads is not None:
            options.intra_op_num_threads = threads
        obstacle = cuda_obstacle() if device != "cpu" else None
        if device == "cuda" and obstacle:
            raise ModelError(f"device: 'cuda' does not work here: {obstacle}; mend that, or use device: cpu")
        providers = [_CPU] if device == "cpu" or obstacle else [_CUDA, _CPU]
        self._session = _load(path, options, providers)
        self.provider: str = self._session.get_providers()[0]
        """The provider that runs the graph: `CPUExecutionProvider`."""
        if device == "cuda" and self.provider != _CUDA:
            raise ModelError(
                f"device: 'cuda' was refused by ONNX Runtime for {path}; check the driver and the CUDA libraries, "
                "or use device: cpu"
            )
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
            raise ModelError(f"the model failed while it ran: {_first_line(error)}") from error
        return dict(zip(names, values, strict=True))


def cuda_obstacle() -> str | None:
    """What keeps CUDA from working here, in a few words; None where nothing is known to."""
    if _CUDA not in onnxruntime.get_available_providers():
        return "the installed onnxruntime has no CUDA provider (install onnxruntime-gpu)"
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return f"the NVIDIA driver is missing ({driver} cannot be loaded)"
    onnxruntime.preload_dlls()
    library = "onnxruntime_providers_cuda.dll" if sys.platform == "win32" else "libonnxruntime_providers_cuda.so"
    folder = Path(onnxruntime.__file__).parent / "capi"
    try:
        # The shared half first: the CUDA provider is linked against it.
        ctypes.CDLL(os.fspath(folder / library.replace("_cuda", "_shared")), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(os.fspath(folder / library))
    except OSError as error:
        return f"{_first_line(error)} (install mirilla[cuda])"
    return None


def _load(path: Path, options: Any, providers: list[str]) -> Any:
    try:
        return onnxruntime.InferenceSession(os.fspath(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no common root but this
        raise ModelError(f"{path}: no ONNX model that runs here ({_first_line(error)}); export it again") from error


def _spec(node: Any) -> TensorSpec:
    shape = tuple(axis if isinstance(axis, int) else None for axis in node.shape)
    dtype = _DTYPES.get(node.type)
    return TensorSpec(node.name, shape, np.dtype(dtype).name if dtype else node.type)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
