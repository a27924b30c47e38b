"""Depths at the picture's size are those of the transformers pipeline, and the manifest says which way they run."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from exporters.export import ExportOptions, export_package
from models import DepthMap, load_model
from models.errors import ModelError
from models.manifest import Manifest, read_manifest
from models.package import find_package
from models.placement import Placement
from models.results import ResultFilter
from models.tasks import find_task
from tests.exporters.checkpoints import depth_anything_config, write_checkpoint

transformers: Any = importlib.import_module("transformers")
KINDS = {"dpt-depth": "inverse", "depth-anything": "inverse", "glpn-depth": "metric"}


@pytest.fixture(scope="module", params=KINDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Name, checkpoint and package of each architecture."""
    # Networks this small spend their time in threads that wait for one another.
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = write_checkpoint(request.param, folder / "checkpoint")
    return request.param, checkpoint, export_package(checkpoint, folder / "package", ExportOptions(batch=1))


def test_depths_are_those_of_the_pipeline(exported: tuple[str, Path, Path], test_data: Path) -> None:
    name, checkpoint, package = exported
    pipeline = transformers.pipeline("depth-estimation", model=str(checkpoint), device="cpu")
    model = load_model(package, device="cpu", threads=1)
    for path in sorted((test_data / "images").glob("*.jpg")):
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        found = model(image)
        assert isinstance(found, DepthMap)
        assert found.kind == KINDS[name]
        expected = pipeline(str(path))["predicted_depth"].numpy()
        assert found.values.shape == image.shape[:2] == expected.shape
        spread = np.ptp(expected)
        assert spread > 0.02 * np.abs(expected).max()  # no flat field, which anything would equal
        assert np.abs(found.values - expected).max() < 1e-4 * spread


def test_a_folder_without_a_manifest_says_the_same(exported: tuple[str, Path, Path], tmp_path: Path) -> None:
    # As ready ONNX repositories of the hub are laid out.
    _, _, package = exported
    ready = tmp_path / "ready"
    shutil.copytree(package, ready)
    manifest = read_manifest(ready)
    (ready / "manifest.json").unlink()
    (ready / "onnx").mkdir()
    (ready / "model.onnx").rename(ready / "onnx" / "model.onnx")
    derived = find_package(ready).manifest
    for field in ("task", "decoder", "input", "outputs"):
        assert getattr(derived, field) == getattr(manifest, field)


@pytest.mark.parametrize(("trained_for", "decoder"), [("relative", "inverse_depth"), ("metric", "metric_depth")])
def test_depth_anything_answers_in_metres_where_it_was_trained_to(
    tmp_path: Path, trained_for: str, decoder: str
) -> None:
    checkpoint = write_checkpoint("depth-anything", tmp_path / "checkpoint")
    config = depth_anything_config(depth_estimation_type=trained_for, max_depth=20)
    config.architectures = ["DepthAnythingForDepthEstimation"]
    config.save_pretrained(checkpoint)
    package = export_package(checkpoint, tmp_path / "package", ExportOptions(batch=1))
    assert find_package(package).manifest.decoder == decoder


def test_a_size_of_its_own_stretches_pictures_for_a_network_that_takes_any(tmp_path: Path, test_data: Path) -> None:
    torch.set_num_threads(1)
    checkpoint = write_checkpoint("glpn-depth", tmp_path / "checkpoint")
    package = export_package(checkpoint, tmp_path / "package", ExportOptions(size_hw=(96, 160), batch=1))
    spec = find_package(package).manifest.input
    assert (spec.resize, spec.height, spec.width) == ("stretch", 96, 160)
    image = np.asarray(cv2.imread(str(test_data / "images" / "bus.jpg")), np.uint8)
    pixels = cv2.resize(image[..., ::-1], (160, 96), interpolation=cv2.INTER_AREA)
    network = transformers.GLPNForDepthEstimation.from_pretrained(checkpoint)
    inputs = transformers.GLPNImageProcessor()(images=pixels, return_tensors="pt")
    with torch.inference_mode():
        rough = network(**inputs).predicted_depth[0].numpy()
    found = load_model(package, device="cpu", threads=1)(image)
    assert isinstance(found, DepthMap)
    # Another resampling filter, but the same scene.
    small = cv2.resize(found.values, (160, 96), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), rough.ravel())[0, 1] > 0.98


def test_half_precision_runs_at_every_size(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    checkpoint = write_checkpoint("depth-anything", tmp_path / "checkpoint")
    package = export_package(checkpoint, tmp_path / "package", ExportOptions(precision="fp16", batch=1))
    model = load_model(package, device="cpu", threads=1)
    # Of fewer patches a side than the network was made for, and of more.
    for width, height in ((50, 40), (40, 50), (97, 31), (300, 80)):
        found = model(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
        assert isinstance(found, DepthMap)
        assert np.isfinite(found.values).all()


def estimate(output: Any, frame_wh: tuple[int, int], decoder: str = "inverse_depth", **fields: Any) -> DepthMap:
    manifest = Manifest.model_validate(
        {
            "name": "hand-written",
            "task": "depth_estimation",
            "decoder": decoder,
            "input": {"height": 4, "width": 4, "resize": "stretch"} | fields,
            "outputs": ("predicted_depth",),
            "class_names": ("depth",),
            "source": {"id": "tests"},
            "opset": 18,
        }
    )
    task = find_task(manifest).make(manifest, ResultFilter())
    result = task.postprocess({"predicted_depth": np.asarray(output, np.float32)}, Placement(frame_wh, (4, 4), (4, 4)))
    assert isinstance(result, DepthMap)
    return result


@pytest.mark.parametrize("frame_wh", [(97, 41), (3, 2), (1, 1), (1, 50), (8, 8)])  # enlarged, shrunk, both
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 1, 5, 9), (1, 1, 1)])
def test_maps_are_enlarged_as_torch_does(frame_wh: tuple[int, int], shape: tuple[int, ...]) -> None:
    plane = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(plane.reshape(1, 1, *shape[-2:])), size=frame_wh[::-1], mode="bicubic", align_corners=False
    )[0, 0]
    np.testing.assert_allclose(estimate(plane, frame_wh).values, expected.numpy(), atol=1e-4)


def test_what_is_no_number_is_unknown_and_spoils_only_its_neighbours() -> None:
    plane: NDArray[np.float32] = np.ones((1, 8, 8), np.float32)
    plane[0, 0, 0], plane[0, 7, 7] = np.inf, np.nan
    values = estimate(plane, (8, 8)).values
    assert np.isnan(values[[0, 7], [0, 7]]).all()
    assert np.isfinite(values).sum() == 62


@pytest.mark.parametrize(
    ("output", "fields", "message"),
    [
        (np.zeros((1, 2, 4, 4)), {}, r"predicted_depth: expected \(1, H, W\), got \(1, 2, 4, 4\)"),
        (np.zeros(3), {}, r"expected \(1, H, W\), got \(3,\)"),
        (np.zeros((1, 0, 4)), {}, r"got \(1, 0, 4\)"),
        (
            np.zeros((1, 4, 4)),
            {"resize": "letterbox_center"},
            "input.resize: 'letterbox_center' is none that depth_estimation has ",
        ),
    ],
)
def test_what_does_not_fit_is_said(output: NDArray[np.float64], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        estimate(output, (8, 8), **fields)
