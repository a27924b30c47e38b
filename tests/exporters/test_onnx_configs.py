"""Optimum finds our declarations as it finds its own."""

from __future__ import annotations

import pytest
from transformers import ViTConfig, ViTForImageClassification

from exporters.errors import ExportError
from exporters.onnx_configs import FixedSizeOnnxConfig, onnx_config_of
from models.networks.sketch_cnn import SketchCnn, SketchCnnConfig, SketchResNet, SketchResNetConfig

TASK = ("image-classification",)


@pytest.mark.parametrize("model", [SketchCnn(SketchCnnConfig()), SketchResNet(SketchResNetConfig())])
def test_our_networks_are_declared(model: SketchCnn | SketchResNet) -> None:
    config = onnx_config_of(model, TASK)
    assert isinstance(config, FixedSizeOnnxConfig)
    assert dict(config.inputs) == {"pixel_values": {0: "batch_size"}}
    assert list(config.outputs) == ["logits"]
    assert config.generate_dummy_inputs(framework="pt")["pixel_values"].shape[1:] == (1, 28, 28)


def test_optimums_own_are_found_alike() -> None:
    tiny = ViTConfig(  # type: ignore[no-untyped-call]
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32
    )
    assert type(onnx_config_of(ViTForImageClassification(tiny), TASK)).__name__ == "ViTOnnxConfig"


def test_what_nobody_declares_is_one_clear_error() -> None:
    with pytest.raises(ExportError, match="'mirilla_sketch_cnn' and the task 'object-detection'"):
        onnx_config_of(SketchCnn(SketchCnnConfig()), ("object-detection",))
