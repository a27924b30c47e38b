"""Which provider runs a graph, and what is said where it is not the one that was asked for.

ONNX Runtime itself is asked where it can answer without a GPU: its GPU build is installed, the libraries are not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from models import cuda_libraries, load_model, onnx_session
from models.cuda_libraries import CUDA, Obstacle, cuda_obstacle, missing_library
from models.errors import ModelError
from models.onnx_session import CPU, OnnxSession

FEEDS = {"pixel_values": np.ones((1, 1, 2, 2), np.float32)}


class FakeSession:
    """A session of `CUDA` that does as it is told; that of the CPU alone always works."""

    made: list[tuple[list[str], dict[str, str]]]

    def __init__(
        self,
        providers: list[str],
        entries: dict[str, str],
        *,
        starts: bool = True,
        load_failure: Exception | None = None,
        run_failure: Exception | None = None,
        cpu_nodes: tuple[str, ...] = (),
    ) -> None:
        wants_cuda = CUDA in providers
        if wants_cuda and load_failure is not None:
            raise load_failure
        if entries.get("session.disable_cpu_ep_fallback") == "1" and (cpu_nodes or not starts):
            raise RuntimeError(
                "[ONNXRuntimeError] : 1 : FAIL : This session contains graph nodes that are assigned to the default "
                "CPU EP, but fallback to CPU EP has been explicitly disabled by the user."
            )
        self._providers = [CUDA, CPU] if wants_cuda and starts else [CPU]
        self._run_failure = run_failure if wants_cuda else None
        self._cpu_nodes = cpu_nodes

    def get_providers(self) -> list[str]:
        return self._providers

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="pixel_values", shape=["batch", 1, 2, 2], type="tensor(float)")]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="logits", shape=["batch", 2], type="tensor(float)")]

    def get_modelmeta(self) -> Any:
        return SimpleNamespace(custom_metadata_map={})

    def get_provider_graph_assignment_info(self) -> list[Any]:
        placed = [(CUDA, "Conv"), (CUDA, "Conv"), *((CPU, kind) for kind in self._cpu_nodes)]
        return [
            SimpleNamespace(ep_name=provider, get_nodes=lambda kind=kind: [SimpleNamespace(op_type=kind)])
            for provider, kind in placed
        ]

    def run(self, _names: list[str], _feeds: object) -> list[Any]:
        if self._run_failure is not None:
            raise self._run_failure
        return [np.zeros((1, 2), np.float32)]


@pytest.fixture
def pretend_cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """`pretend_cuda(**behaviour)`: every library loads; sessions are fakes. Returns the providers of each one made."""

    def pretend(**behaviour: Any) -> list[list[str]]:
        made: list[list[str]] = []

        class Options:
            def __init__(self) -> None:
                self.entries: dict[str, str] = {}

            def add_session_config_entry(self, key: str, value: str) -> None:
                self.entries[key] = value

        def session(_path: str, options: Options, *, providers: list[str], enable_fallback: int) -> FakeSession:
            assert enable_fallback == 0
            # CUDA has no kernels for what eight-bit graphs hold besides activations.
            assert (options.entries.get("session.disable_quant_qdq") == "1") == (CUDA in providers)
            made.append(providers)
            return FakeSession(providers, options.entries, **behaviour)

        monkeypatch.setattr(onnx_session, "cuda_obstacle", lambda: None)
        monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
        monkeypatch.setattr(onnxruntime, "InferenceSession", session)
        return made

    return pretend


def test_cuda_that_works_runs_the_whole_graph(pretend_cuda: Callable[..., list[list[str]]]) -> None:
    made = pretend_cuda()
    session = OnnxSession(Path("a.onnx"), device="cuda")
    assert (session.provider, session.why_not_cuda, made) == (CUDA, None, [[CUDA]])


def test_cuda_refuses_nodes_that_would_run_on_the_cpu_and_auto_lets_them(
    pretend_cuda: Callable[..., list[list[str]]],
) -> None:
    pretend_cuda(cpu_nodes=("Shape", "Gather", "Shape"))
    expected = r"device: 'cuda': 3 nodes of a.onnx have to run on the CPU \(Shape, Gather\); use device: auto"
    with pytest.raises(ModelError, match=expected):
        OnnxSession(Path("a.onnx"), device="cuda")
    session = OnnxSession(Path("a.onnx"), device="auto")
    assert (session.provider, session.node_counts()) == (CUDA, {CUDA: 2, CPU: 3})


def test_cuda_that_onnx_runtime_does_not_start_is_refused(pretend_cuda: Callable[..., list[list[str]]]) -> None:
    pretend_cuda(starts=False)
    with pytest.raises(ModelError, match=r"device: 'cuda': ONNX Runtime could not start CUDA; check the driver"):
        OnnxSession(Path("a.onnx"), device="cuda")
    session = OnnxSession(Path("a.onnx"), device="auto")
    assert (session.provider, session.why_not_cuda) == (CPU, "ONNX Runtime could not start it")


NO_CUDNN = RuntimeError(
    "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : cuDNN is not available. Install cuDNN, update the system library "
    "search path, or set enable_cudnn=0 to force native CUDA paths where available."
)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        # while the graph is loaded
        ({"load_failure": NO_CUDNN}, "cuDNN is missing; pip install 'mirilla[cuda]'"),
        ({"load_failure": RuntimeError("CUDA failure 2: out of memory\nat line 7")}, "CUDA failure 2: out of memory"),
        # only when it first runs
        ({"run_failure": NO_CUDNN}, "cuDNN is missing; pip install 'mirilla[cuda]'"),
    ],
)
def test_auto_leaves_a_cuda_that_fails_and_says_why(
    behaviour: dict[str, Any],
    reason: str,
    pretend_cuda: Callable[..., list[list[str]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    pretend_cuda(**behaviour)
    session = OnnxSession(Path("a.onnx"), device="auto")
    assert session.run(FEEDS)["logits"].shape == (1, 2)
    assert (session.provider, session.why_not_cuda) == (CPU, reason)
    said = caplog.text.replace("\n", " ")
    assert "device: auto took the CPU for a.onnx: " in said
    assert reason in said
    # What was asked for by name is never replaced.
    with pytest.raises(ModelError, match=reason.replace("[", r"\[")):
        OnnxSession(Path("a.onnx"), device="cuda").run(FEEDS)


def test_a_failure_after_the_first_run_is_no_reason_to_change_the_provider(
    pretend_cuda: Callable[..., list[list[str]]],
) -> None:
    made = pretend_cuda()
    session = OnnxSession(Path("a.onnx"), device="auto")
    session.run(FEEDS)
    session._session._run_failure = RuntimeError("the device was lost")
    with pytest.raises(ModelError, match=r"the model failed while it ran: the device was lost"):
        session.run(FEEDS)
    assert (session.provider, len(made)) == (CUDA, 1)


@pytest.mark.skipif(cuda_obstacle() is None, reason="CUDA works here, so ONNX Runtime would take it")
def test_onnx_runtime_itself_never_falls_to_the_cpu_in_silence(
    make_package: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As if nothing were known of the missing libraries: ONNX Runtime finds out, and is not allowed to go on."""
    monkeypatch.setattr(onnx_session, "cuda_obstacle", lambda: None)
    path = make_package() / "model.onnx"
    with pytest.raises(ModelError, match=r"^device: 'cuda': ONNX Runtime could not start CUDA"):
        OnnxSession(path, device="cuda")
    session = OnnxSession(path, device="auto")
    assert (session.provider, session.why_not_cuda) == (CPU, "ONNX Runtime could not start it")
    assert capfd.readouterr().out == ""


def test_the_cpu_asked_for_by_name_has_nothing_to_explain(make_package: Callable[..., Path]) -> None:
    session = OnnxSession(make_package() / "model.onnx", device="cpu")
    assert (session.provider, session.why_not_cuda, session.node_counts()) == (CPU, None, {})


@pytest.mark.parametrize(
    ("available", "driver", "library", "expected"),
    [
        # the build for the CPU alone
        (
            [CPU],
            True,
            None,
            Obstacle("the installed onnxruntime is a build without CUDA", "pip install onnxruntime-gpu"),
        ),
        # no NVIDIA card, or none with a driver
        (
            [CUDA, CPU],
            False,
            None,
            Obstacle("the NVIDIA driver is missing", "install it from nvidia.com (libcuda.so.1 cannot be loaded)"),
        ),
        # what `pip install mirilla` alone gives: the provider without its libraries
        (
            [CUDA, CPU],
            True,
            "libcublasLt.so.13: cannot open shared object file: No such file or directory",
            Obstacle("libcublasLt.so.13 is missing", "pip install 'mirilla[cuda]'"),
        ),
        ([CUDA, CPU], True, None, None),
    ],
)
@pytest.mark.skipif("sys.platform != 'linux'", reason="the libraries have other names there")
def test_the_first_thing_that_is_missing_is_named(
    available: list[str], driver: bool, library: str | None, expected: Obstacle | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, mode: int = 0) -> object:  # noqa: ARG001 - ctypes.CDLL
        if name == "libcuda.so.1" and not driver:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        if name.endswith("providers_cuda.so") and library:
            raise OSError(library)
        return object()

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: available)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(ctypes, "CDLL", load)
    cuda_obstacle.cache_clear()
    cuda_libraries._preload.cache_clear()
    try:
        assert cuda_obstacle() == expected
    finally:
        cuda_obstacle.cache_clear()
        cuda_libraries._preload.cache_clear()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("libcudart.so.13: cannot open shared object file: No such file or directory", "libcudart.so.13 is missing"),
        # another reason is said as the loader says it
        ("libcudart.so.13: undefined symbol: x\nmore", "libcudart.so.13: undefined symbol: x"),
        ("", "a library of CUDA cannot be loaded"),
    ],
)
def test_what_the_loader_says_is_put_in_plain_words(message: str, expected: str) -> None:
    assert missing_library(message) == expected


def test_a_model_says_why_it_does_not_run_on_cuda(make_package: Callable[..., Path]) -> None:
    obstacle = cuda_obstacle()
    model = load_model(make_package(), device="auto")
    assert model.why_not_cuda == (obstacle.what if obstacle else None)
