"""Detectors and segmenters exported by Optimum say what the transformers pipeline says of the PyTorch model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import Detections, SegmentationMap, load_model
from models.errors import ModelError
from models.package import find_package
from models.segmentation_map import UNLABELLED
from tests.models.pipeline_comparison import (
    SCORE_TOLERANCE,
    THRESHOLD,
    expected_detections,
    expected_map,
    pictures,
    unmatched,
)
from tests.models.seeded_checkpoints import export, transformers


@pytest.mark.parametrize("architecture", ["detr", "table_transformer", "yolos", "rt_detr", "rt_detr_v2", "d_fine"])
def test_a_detector_finds_what_the_pipeline_finds(architecture: str, tmp_path: Path, test_data: Path) -> None:
    checkpoint, onnx_folder = export(tmp_path, architecture)
    pipeline = transformers.pipeline("object-detection", model=str(checkpoint), device="cpu")
    model = load_model(onnx_folder, device="cpu", threshold=THRESHOLD - SCORE_TOLERANCE)
    found_scores: list[float] = []
    for path, image in pictures(test_data):
        expected, found = expected_detections(pipeline, path, image), model(image)
        assert isinstance(found, Detections)
        assert unmatched(expected, found) == []
        assert unmatched(found, expected) == []
        found_scores += found.scores.tolist()
    # Something was found, and not the same thing over and over.
    assert len({round(score, 3) for score in found_scores}) >= 3


@pytest.mark.parametrize("architecture", ["segformer", "dpt"])
def test_a_segmenter_labels_what_the_pipeline_labels(architecture: str, tmp_path: Path, test_data: Path) -> None:
    checkpoint, onnx_folder = export(tmp_path, architecture)
    pipeline = transformers.pipeline("image-segmentation", model=str(checkpoint), device="cpu")
    model = load_model(onnx_folder, device="cpu")
    for path, image in pictures(test_data):
        found = model(image)
        assert isinstance(found, SegmentationMap)
        expected = expected_map(pipeline, path, image.shape[:2])
        assert len(np.unique(expected)) >= 3
        assert (found.class_map == expected).mean() >= 0.995


def test_a_segmenter_that_crops_labels_what_it_was_shown(tmp_path: Path, test_data: Path) -> None:
    # The pipeline spreads the map of the crop over the whole picture; the truth is where the crop lay.
    checkpoint, onnx_folder = export(tmp_path, "mobilevit")
    pipeline = transformers.pipeline("image-segmentation", model=str(checkpoint), device="cpu")
    model = load_model(onnx_folder, device="cpu")
    path, image = next(pictures(test_data))
    assert image.shape == (1080, 810, 3)
    found = model(image)
    assert isinstance(found, SegmentationMap)
    # 810x1080 becomes 144x192, of which the middle 128x128 is cut: 45 to 765 and 180 to 900 of the picture.
    crop = np.s_[180:900, 45:765]
    expected = np.full(image.shape[:2], UNLABELLED, np.uint16)
    expected[crop] = expected_map(pipeline, path, (720, 720))
    assert len(np.unique(expected[crop])) >= 3
    assert (found.class_map == expected).mean() >= 0.995


@pytest.fixture(scope="module")
def yolos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("yolos"), "yolos")[1]


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        # The layout of today.
        (
            {"image_processor_type": "YolosImageProcessor", "size": {"shortest_edge": 512, "longest_edge": 1333}},
            ("shortest_longest_edge", 512, 1333, 16),
        ),
        # That of the first checkpoints on the hub.
        (
            {"feature_extractor_type": "YolosFeatureExtractor", "size": 512, "max_size": 1333},
            ("shortest_longest_edge", 512, 1333, 16),
        ),
        (
            {"feature_extractor_type": "DetrFeatureExtractor", "size": 800},
            ("shortest_longest_edge", 800, 1333, 1),
        ),
        (
            {"image_processor_type": "RTDetrImageProcessorFast", "size": {"height": 640, "width": 640}},
            ("stretch", None, None, 1),
        ),
        (
            {"feature_extractor_type": "MobileViTFeatureExtractor", "size": 544, "crop_size": 512},
            ("shortest_edge_center_crop", 544, None, 1),
        ),
        (
            {
                "feature_extractor_type": "DPTFeatureExtractor",
                "size": 384,
                "keep_aspect_ratio": True,
                "ensure_multiple_of": 32,
            },
            ("aspect_multiple", None, None, 32),
        ),
        (
            {"image_processor_type": "GLPNImageProcessor", "size_divisor": 32, "do_resize": True, "resample": 2},
            ("cut_to_multiple", None, None, 32),
        ),
        (
            {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "resample": 3},
            ("shortest_edge_center_crop", 224, None, 1),
        ),
    ],
)
def test_processors_of_every_age_are_read(
    yolos_folder: Path, processor: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    normalisation = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    write_processor(yolos_folder, normalisation | processor)
    spec = find_package(yolos_folder).manifest.input
    assert (spec.resize, spec.resize_shortest_edge, spec.resize_longest_edge, spec.size_multiple) == expected
    unnormalised = any(name in str(processor) for name in ("RTDetr", "MobileViT", "GLPN"))
    assert (spec.mean == (0.0, 0.0, 0.0)) == unnormalised
    assert spec.colour_order == ("bgr" if "MobileViT" in str(processor) else "rgb")


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        ({"image_processor_type": "DetrImageProcessor", "size": 800}, "do not fit: 'image_mean'"),
        ({"image_processor_type": "RTDetrImageProcessor", "size": {}}, "do not fit: 'height'"),
        ({"image_processor_type": "RTDetrImageProcessor", "size": 640, "do_resize": False}, "do_resize: false is not"),
        (
            {"image_processor_type": "RTDetrImageProcessor", "size": 640, "pad_size": {"height": 800, "width": 800}},
            "pad_size: .* is not supported",
        ),
    ],
)
def test_a_processor_that_cannot_be_followed_is_said(
    yolos_folder: Path, processor: dict[str, Any], message: str
) -> None:
    write_processor(yolos_folder, processor)
    with pytest.raises(ModelError, match=message):
        find_package(yolos_folder)


def test_a_detector_that_was_not_verified_is_refused(yolos_folder: Path) -> None:
    path = yolos_folder / "config.json"
    before = path.read_text()
    path.write_text(json.dumps(json.loads(before) | {"model_type": "conditional_detr"}))
    with pytest.raises(
        ModelError, match=r"model_type: 'conditional_detr' is none of those verified for object_detection"
    ):
        find_package(yolos_folder)
    path.write_text(before)


def write_processor(folder: Path, content: dict[str, Any]) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps(content), encoding="utf-8")
