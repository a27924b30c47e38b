"""CUDA answers as the CPU does, on every node, in single and in half precision."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from exporters.precision import PRECISION_GATES, convert
from models import load_model
from models.cuda_libraries import CUDA, cudnn_version
from models.onnx_session import OnnxSession
from models.package import find_package

SINGLE_PRECISION = "quickdraw-345"
SEED = 7


def drawings(count: int) -> dict[str, np.ndarray]:
    """Random ink: about what a network sees, float32 (count, 1, 28, 28)."""
    return {"pixel_values": np.random.default_rng(SEED).random((count, 1, 28, 28), np.float32)}


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        # CUDA multiplies in TF32 where the card can: ten bits of mantissa, about 1e-3 of each product.
        (SINGLE_PRECISION, 2e-2),
        # In eight bits an activation that is rounded the other way moves the logits by some hundredths.
        ("quickdraw-32", 0.2),
    ],
)
def test_the_whole_graph_runs_on_cuda_and_answers_as_on_the_cpu(name: str, tolerance: float) -> None:
    path = find_package(name).model_path
    on_cuda = OnnxSession(path, device="cuda")
    assert on_cuda.provider == CUDA
    assert set(on_cuda.node_counts()) == {CUDA}
    logits = on_cuda.outputs[0].name
    expected = OnnxSession(path, device="cpu").run(drawings(1))[logits]
    np.testing.assert_allclose(on_cuda.run(drawings(1))[logits], expected, atol=tolerance)


def test_auto_takes_cuda_and_has_nothing_to_explain() -> None:
    model = load_model("quickdraw-32", device="auto")
    assert (model.provider, model.why_not_cuda) == (CUDA, None)


def test_half_precision_holds_what_the_exporter_demands_of_it(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    shutil.copy(find_package(SINGLE_PRECISION).model_path, path)
    expected = OnnxSession(path, device="cpu").run(drawings(1))["logits"]
    convert(path, "fp16")
    half = OnnxSession(path, device="cuda")
    assert set(half.node_counts()) == {CUDA}
    np.testing.assert_allclose(half.run(drawings(1))["logits"], expected, atol=PRECISION_GATES["fp16"].tolerance)


def test_cudnn_says_its_version() -> None:
    version = cudnn_version()
    assert version is not None
    assert int(version.split(".")[0]) >= 9
