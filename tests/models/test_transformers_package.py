"""Transformers ONNX folders as Optimum writes them: real architectures, seeded, judged by the transformers pipeline."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models import Classification, load_model
from models.errors import ModelError
from models.package import find_package

LABELS = {0: "gato", 1: "león", 2: "piña"}
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def build(folder: Path, architecture: str) -> Path:
    """Save a seeded checkpoint and its image processor, export it with Optimum; returns the ONNX folder."""
    import torch
    from optimum.exporters.onnx import main_export

    # Its configurations are untyped.
    transformers: Any = importlib.import_module("transformers")
    torch.manual_seed(7)
    if architecture == "vit":
        config = transformers.ViTConfig(**SMALL, image_size=32, patch_size=8, id2label=LABELS)
        model = transformers.ViTForImageClassification(config)
        processor = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    elif architecture == "mobilenet_v2":
        config = transformers.MobileNetV2Config(image_size=32, depth_multiplier=0.35, id2label=LABELS)
        model = transformers.MobileNetV2ForImageClassification(config)
        processor = transformers.MobileNetV2ImageProcessor(
            size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
        )
    else:
        config = transformers.ConvNextConfig(
            hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], image_size=32, id2label=LABELS
        )
        model = transformers.ConvNextForImageClassification(config)
        processor = transformers.ConvNextImageProcessor(size={"shortest_edge": 32})
    checkpoint = folder / "checkpoint"
    model.eval().save_pretrained(checkpoint)
    processor.save_pretrained(checkpoint)
    onnx_folder = folder / architecture
    main_export(str(checkpoint), onnx_folder, task="image-classification", do_validation=False)
    return onnx_folder


@pytest.mark.parametrize("architecture", ["vit", "mobilenet_v2", "convnext"])
def test_a_classifier_says_what_the_pipeline_says(architecture: str, tmp_path: Path, test_data: Path) -> None:
    import transformers

    onnx_folder = build(tmp_path, architecture)
    model = load_model(onnx_folder, device="cpu")
    pipeline: Any = transformers.pipeline("image-classification", model=str(tmp_path / "checkpoint"), device="cpu")
    for path in sorted((test_data / "images").glob("*.jpg")):
        expected = {row["label"]: row["score"] for row in pipeline(str(path), top_k=3)}
        # The pipeline reads with Pillow: the same JPEG decoder, but the colour conversion may differ by a level.
        image = cv2.imread(str(path))
        assert image is not None
        result = model(np.asarray(image, np.uint8))
        assert isinstance(result, Classification)
        found = dict(zip(result.labels, result.scores.tolist(), strict=True))
        assert found == pytest.approx(expected, abs=2e-3)


def test_the_layout_of_the_hub_s_onnx_repositories_is_read_too(tmp_path: Path) -> None:
    flat = build(tmp_path, "convnext")
    hub = tmp_path / "hub"
    (hub / "onnx").mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json"):
        (flat / name).rename(hub / name)
    (flat / "model.onnx").rename(hub / "onnx" / "model.onnx")
    package = find_package(hub)
    assert package.manifest.class_names == tuple(LABELS.values())
    assert package.model_path == hub / "onnx" / "model.onnx"

    config = json.loads((hub / "config.json").read_text())
    (hub / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    with pytest.raises(ModelError, match=r"architectures: .'BertForMaskedLM'. is none of ...ForImageClassification"):
        find_package(hub)
    (hub / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"preprocessor_config.json: missing or no JSON"):
        find_package(hub)
