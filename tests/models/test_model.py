"""A model as the frame loop sees it: stages, filter, provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models import Classification, load_model
from models.cuda_libraries import cuda_obstacle
from models.errors import ModelError
from models.onnx_session import OnnxSession

WHITE = np.full((9, 7, 3), 255, np.uint8)


def test_a_white_picture_is_bright_and_a_black_one_dark(make_package: Callable[..., Path]) -> None:
    model = load_model(make_package(), device="cpu")
    result = model(WHITE)
    assert isinstance(result, Classification)
    assert result.labels == ["bright", "dark"]
    # Logits 1 and -1: softmax gives 1 / (1 + exp(-2)).
    assert result.scores[0] == pytest.approx(1 / (1 + np.exp(-2)))
    black = model(np.zeros((1, 1, 3), np.uint8))
    assert isinstance(black, Classification)
    assert black.labels == ["dark", "bright"]


def test_each_stage_runs_within_the_timer(make_package: Callable[..., Path]) -> None:
    stages: list[str] = []

    @contextmanager
    def timer(stage: str) -> Iterator[None]:
        stages.append(f"{stage} begins")
        yield
        stages.append(f"{stage} ends")

    load_model(make_package(), device="cpu")(WHITE, timer)
    names = ("preprocess", "inference", "postprocess")
    assert stages == [f"{name} {edge}" for name in names for edge in ("begins", "ends")]


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({}, ["bright", "dark"]),
        ({"threshold": 0.5}, ["bright"]),
        ({"threshold": 0.99}, []),
        ({"classes": ["dark"]}, ["dark"]),
        ({"top": 1}, ["bright"]),
        ({"classes": ["dark"], "top": 1}, ["dark"]),
    ],
)
def test_only_what_passes_the_filter_is_reported(
    make_package: Callable[..., Path], options: dict[str, float], labels: list[str]
) -> None:
    result = load_model(make_package(), device="cpu", **options)(WHITE)  # type: ignore[arg-type]
    assert isinstance(result, Classification)
    assert result.labels == labels


def test_a_class_that_the_model_does_not_know_is_answered_with_the_nearest(make_package: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"classes: 'brigth' is no class of the model; did you mean 'bright'?"):
        load_model(make_package(), device="cpu", classes=["brigth"])


def test_a_model_has_its_own_name_and_says_its_provider(make_package: Callable[..., Path]) -> None:
    model = load_model(make_package(), name="shade", device="cpu")
    assert (model.name, model.provider) == ("shade", "CPUExecutionProvider")


def test_cuda_that_does_not_work_is_refused_by_name_and_auto_takes_the_cpu(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    obstacle = cuda_obstacle()
    if obstacle is None:
        assert load_model(folder, device="cuda").provider == "CUDAExecutionProvider"
        return
    with pytest.raises(ModelError, match=r"device: 'cuda' does not work here: .*; .*, or use device: cpu"):
        load_model(folder, device="cuda")
    assert load_model(folder, device="auto").provider == "CPUExecutionProvider"


def test_inputs_that_do_not_fit_the_graph_are_a_model_error(make_package: Callable[..., Path]) -> None:
    session = OnnxSession(make_package() / "model.onnx", device="cpu", threads=1, graph_optimization="basic")
    with pytest.raises(ModelError, match=r"the model failed while it ran"):
        session.run({"pixel_values": np.zeros((1, 3, 2, 2), np.float32)})
    spec = session.inputs[0]
    assert (spec.name, spec.shape, spec.dtype) == ("pixel_values", (None, 1, 2, 2), "float32")
