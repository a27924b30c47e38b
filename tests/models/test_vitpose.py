"""ViTPose, cut for cut and peak for peak what transformers' own processor makes of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from exporters.export import export_package
from models import Model, Poses, TopDown, load_model
from models.box_crop import BoxCrops
from models.decoders.heatmaps import peaks
from models.image_processors import input_spec
from models.manifest import InputSpec, read_manifest
from models.package import find_package
from models.skeletons import COCO_17
from tests.exporters.checkpoints import tf, write_checkpoint
from tests.models.test_real_detectors import Truth, coco_truth, yolox_package

__all__ = ["coco_truth"]

Boxes = NDArray[np.float32]


@pytest.fixture(scope="module")
def vitpose(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Model]:
    """A seeded checkpoint, and the model that `mirilla export` makes of it."""
    folder = tmp_path_factory.mktemp("vitpose")
    checkpoint = write_checkpoint("vitpose", folder / "checkpoint")
    return checkpoint, load_model(export_package(checkpoint, folder / "package"), device="cpu", threshold=0.0)


def as_coco(boxes_xyxy: Boxes) -> list[list[list[float]]]:
    """Boxes of one picture as transformers takes them: left, top, width, height."""
    return [[[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes_xyxy.astype(float).tolist()]]


def expected_poses(
    checkpoint: Path, image: NDArray[np.uint8], boxes_xyxy: Boxes
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Keypoints (K, 2) and scores (K,) of each box, by PyTorch and the checkpoint's processor."""
    processor = tf.AutoImageProcessor.from_pretrained(checkpoint)
    network = tf.VitPoseForPoseEstimation.from_pretrained(checkpoint)
    inputs = processor(images=image[..., ::-1], boxes=as_coco(boxes_xyxy), return_tensors="pt")
    with torch.inference_mode():
        outputs = network(**inputs)
    found = processor.post_process_pose_estimation(outputs, boxes=as_coco(boxes_xyxy))[0]
    return [(one["keypoints"].numpy(), one["scores"].numpy()) for one in found]


def test_people_in_photographs(
    vitpose: tuple[Path, Model], coco_truth: tuple[tuple[str, ...], Truth], test_data: Path, tmp_path: Path
) -> None:
    checkpoint, pose = vitpose
    package = yolox_package(tmp_path / "yolox", test_data / "weights" / "yolox_nano.onnx", coco_truth[0])
    model = TopDown(load_model(package, device="cpu", threshold=0.3), pose)
    people = 0
    for name in ("bus", "person"):
        image = np.asarray(cv2.imread(str(test_data / "images" / f"{name}.jpg")), np.uint8)
        found = model(image)
        assert set(found.objects.labels) == {"person"}
        expected = expected_poses(checkpoint, image, found.objects.boxes_xyxy)
        for row, (keypoints, scores) in enumerate(expected):
            # A map that is nowhere above zero has no place: transformers then says -1.
            there = scores > 0
            np.testing.assert_allclose(found.keypoints_xy[row][there], keypoints[there], atol=0.5)
            np.testing.assert_allclose(found.scores[row], scores, atol=0.01)
            people += bool(there.any())
    assert people >= 4


@pytest.mark.parametrize(
    "box",
    [
        [10.3, 20.1, 60.7, 90.3],
        [0, 0, 120, 90],  # the whole picture
        [-20, -30, 40, 50],  # over the upper left corner
        [70, 60, 120, 90],  # in the lower right one
        [50, 40, 51.5, 44],  # tiny
        [5, 40, 110, 48],  # wider than high
    ],
)
def test_a_cut_is_the_processor_s(box: list[float]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    processor = tf.VitPoseImageProcessor(size={"height": 64, "width": 48})
    boxes = np.array([box], np.float32)
    expected = processor(images=image[..., ::-1], boxes=as_coco(boxes), return_tensors="np")["pixel_values"]
    spec = find_spec({"image_processor_type": "VitPoseImageProcessor", **processor.to_dict()})
    cut = BoxCrops.around(boxes, (48, 64)).cut(image, spec)
    # One level of 255 is 0.0175 after normalising; the two round differently.
    np.testing.assert_allclose(cut, expected, atol=0.018)


def find_spec(processor: dict[str, Any]) -> InputSpec:
    node = SimpleNamespace(name="pixel_values", shape=(None, 3, 64, 48))
    return input_spec(SimpleNamespace(inputs=[node]), processor)  # type: ignore[arg-type]  # only its inputs are read


def bumps(height: int, width: int, sigma: float = 2.0) -> NDArray[np.float32]:
    """Heatmaps (1, K, height, width) with peaks between cells, at edges and in corners, of several heights."""
    y, x = np.mgrid[:height, :width]
    centres = [(0.4, 0.6), (0.53, 0.21), (0.0, 0.5), (1.0, 1.0), (0.98, 0.02), (0.5, 1.1)]
    maps = [
        np.exp(-((x - u * (width - 1)) ** 2 + (y - v * (height - 1)) ** 2) / (2 * sigma**2)) * (1 - 0.1 * index)
        for index, (u, v) in enumerate(centres)
    ]
    return np.array([maps], np.float32)


@pytest.mark.parametrize("size_hw", [(64, 48), (33, 17), (8, 9), (3, 2), (1, 1)])
def test_peaks_are_refined_as_the_processor_refines_them(size_hw: tuple[int, int]) -> None:
    heatmaps = np.concatenate([bumps(*size_hw), bumps(*size_hw)[:, ::-1] ** 2])
    box = [[[10.0, 20.0, 48.0, 64.0]]]
    processor = tf.VitPoseImageProcessor(size={"height": 64, "width": 48})
    places, scores = peaks(heatmaps)
    if min(size_hw) > 1:
        outputs = SimpleNamespace(heatmaps=torch.from_numpy(heatmaps))
        expected = processor.post_process_pose_estimation(outputs, boxes=box * 2)
        crops = BoxCrops.around(np.array([[10, 20, 58, 84]] * 2, np.float32), (48, 64))
        found = crops.to_frame(places, size_hw[::-1])
        for row, (one,) in enumerate(expected):
            np.testing.assert_allclose(found[row], one["keypoints"].numpy(), atol=1e-3)
            np.testing.assert_allclose(scores[row], one["scores"].numpy())
    else:
        np.testing.assert_allclose(places, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("heatmaps", "scores"),
    [
        (np.zeros((1, 2, 4, 4)), [[0, 0]]),
        (np.full((1, 1, 4, 4), np.nan), [[0]]),
        (np.full((1, 1, 4, 4), -np.inf), [[0]]),
        (np.zeros((0, 2, 4, 4)), []),
    ],
)
def test_maps_without_a_peak_have_finite_places(heatmaps: NDArray[np.float64], scores: list[Any]) -> None:
    places, heights = peaks(heatmaps.astype(np.float32))
    assert heights.tolist() == scores
    assert places.shape == (*heatmaps.shape[:2], 2)
    assert np.isfinite(places).all()


def test_the_package_knows_its_keypoints(vitpose: tuple[Path, Model], tmp_path: Path) -> None:
    checkpoint, pose = vitpose
    assert pose.manifest.input.resize == "box_crop"
    assert (pose.manifest.input.height, pose.manifest.input.width) == (64, 48)
    result = pose(np.zeros((30, 20, 3), np.uint8))
    assert isinstance(result, Poses)
    assert result.keypoint_names == ("cat", "alarm clock", "star")
    # As the hub's checkpoints have it.
    config = tf.AutoConfig.from_pretrained(checkpoint)
    config.edges = [[0, 1], [1, 2]]
    network = tf.VitPoseForPoseEstimation.from_pretrained(checkpoint, config=config)
    network.save_pretrained(tmp_path / "joined")
    tf.AutoImageProcessor.from_pretrained(checkpoint).save_pretrained(tmp_path / "joined")
    package = export_package(tmp_path / "joined", tmp_path / "package")
    assert read_manifest(package).skeleton == ((0, 1), (1, 2))
    # The same from the papers that transformers wrote, without a manifest.
    (package / "manifest.json").unlink()
    manifest = find_package(package).manifest
    assert (manifest.task, manifest.decoder, manifest.skeleton) == ("keypoint_detection", "heatmaps", ((0, 1), (1, 2)))


def test_coco_s_skeleton_joins_every_keypoint() -> None:
    assert len(COCO_17) == 19
    assert {index for pair in COCO_17 for index in pair} == set(range(17))


def test_a_processor_that_does_not_cut_is_said() -> None:
    with pytest.raises(ValueError, match="do_affine_transform: false is not supported"):
        find_spec(
            {
                "image_processor_type": "VitPoseImageProcessor",
                "do_affine_transform": False,
                "image_mean": [0.5] * 3,
                "image_std": [0.5] * 3,
            }
        )
