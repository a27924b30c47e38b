"""The zoo's parameter counts, counted on the architectures: built without memory, from their makers' configurations.

The settings are those of transformers' conversion scripts (`convert_*_to_hf.py`); what is not named is the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from models.networks.sketch_cnn import SketchCnn, SketchCnnConfig, label_settings
from models.zoo import zoo
from tests.exporters.checkpoints import tf


def labels(count: int) -> dict[str, Any]:
    return label_settings([str(index) for index in range(count)])


def detr() -> Any:
    backbone = tf.ResNetConfig(out_features=["stage4"])
    settings = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
    return tf.DetrForObjectDetection(tf.DetrConfig(backbone_config=backbone, **settings, **labels(91)))


def yolos(hidden_size: int, heads: int, **settings: Any) -> Any:
    sizes = {"hidden_size": hidden_size, "num_attention_heads": heads, "intermediate_size": 4 * hidden_size}
    return tf.YolosForObjectDetection(tf.YolosConfig(**sizes, **settings, **labels(91)))


def rt_detr_v2_r18() -> Any:
    settings = {"encoder_in_channels": [128, 256, 512], "hidden_expansion": 0.5, "decoder_layers": 3}
    config = tf.RTDetrV2Config(**settings, **labels(80))
    config.backbone_config.hidden_sizes = [64, 128, 256, 512]
    config.backbone_config.depths = [2, 2, 2, 2]
    config.backbone_config.layer_type = "basic"
    return tf.RTDetrV2ForObjectDetection(config)


def d_fine(settings: dict[str, Any], **backbone: Any) -> Any:
    config = tf.DFineConfig(decoder_layers=3, **settings, **labels(80))
    backbone |= {
        "layer_type": "basic",
        "embedding_size": 32,
        "hidden_sizes": [128, 256, 512, 1024],
        "stem_channels": [3, 16, 16],
        "stage_in_channels": [16, 64, 256, 512],
        "stage_mid_channels": [16, 32, 64, 128],
        "stage_out_channels": [64, 256, 512, 1024],
        "stage_num_blocks": [1, 1, 2, 1],
        "stage_numb_of_layers": [3, 3, 3, 3],
        "use_learnable_affine_block": True,
    }
    for name, value in backbone.items():
        setattr(config.backbone_config, name, value)
    return tf.DFineForObjectDetection(config)


D_FINE_NANO = {
    "num_feature_levels": 2, "encoder_ffn_dim": 512, "encode_proj_layers": [1], "d_model": 128,
    "encoder_hidden_dim": 128, "decoder_ffn_dim": 512, "encoder_in_channels": [512, 1024], "decoder_n_points": [6, 6],
    "decoder_in_channels": [128, 128], "feat_strides": [16, 32], "depth_mult": 0.5, "hidden_expansion": 0.34,
}  # fmt: skip
D_FINE_SMALL = {
    "hidden_expansion": 0.5, "depth_mult": 0.34, "decoder_n_points": [3, 6, 3], "encoder_in_channels": [256, 512, 1024],
}  # fmt: skip


def mobilevit() -> Any:
    return tf.MobileViTForSemanticSegmentation(tf.MobileViTConfig(image_size=512, output_stride=16, **labels(21)))


def vit_base() -> Any:
    return tf.ViTForImageClassification(tf.ViTConfig(**labels(1000)))


def dpt_large() -> Any:
    sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
    neck = {"backbone_out_indices": [5, 11, 17, 23], "neck_hidden_sizes": [256, 512, 1024, 1024]}
    return tf.DPTForDepthEstimation(tf.DPTConfig(**sizes, **neck))


def depth_anything_small() -> Any:
    backbone = tf.Dinov2Config(
        image_size=518, patch_size=14, hidden_size=384, num_attention_heads=6, reshape_hidden_states=False,
        out_features=["stage3", "stage6", "stage9", "stage12"],
    )  # fmt: skip
    return tf.DepthAnythingForDepthEstimation(tf.DepthAnythingConfig(backbone_config=backbone))


def glpn() -> Any:
    sizes = {"depths": [3, 8, 27, 3], "hidden_sizes": [64, 128, 320, 512], "num_attention_heads": [1, 2, 5, 8]}
    return tf.GLPNForDepthEstimation(tf.GLPNConfig(**sizes))


def vitpose_base() -> Any:
    backbone = tf.VitPoseBackboneConfig(out_indices=[12])
    return tf.VitPoseForPoseEstimation(tf.VitPoseConfig(backbone_config=backbone, **labels(17)))


MODELS: dict[str, Callable[[], Any]] = {
    "detr-resnet-50": detr,
    "yolos-tiny": lambda: yolos(192, 3, image_size=[800, 1333], use_mid_position_embeddings=False),
    "yolos-small": lambda: yolos(384, 6),
    "rt-detr-v2-r18": rt_detr_v2_r18,
    "d-fine-nano": lambda: d_fine(D_FINE_NANO, out_indices=[3, 4]),
    "d-fine-small": lambda: d_fine(D_FINE_SMALL),
    "segformer-b0-ade": lambda: tf.SegformerForSemanticSegmentation(tf.SegformerConfig(**labels(150))),
    "deeplabv3-mobilevit-small": mobilevit,
    "vit-base": vit_base,
    # Its checkpoint says that it is a ViT.
    "deit-base": vit_base,
    "resnet-50": lambda: tf.ResNetForImageClassification(tf.ResNetConfig(**labels(1000))),
    "sam-vit-base": lambda: tf.SamModel(tf.SamConfig()),
    "slim-sam": lambda: tf.SamModel(tf.SamConfig(vision_config={"hidden_size": 168, "mlp_dim": 696})),
    "clip-base-32": lambda: tf.CLIPModel(tf.CLIPConfig()),
    "depth-anything-v2-small": depth_anything_small,
    "glpn-nyu": glpn,
    "dpt-large": dpt_large,
    "vitpose-base": vitpose_base,
    "quickdraw": lambda: SketchCnn(SketchCnnConfig(**labels(100))),
}


def test_every_entry_is_counted() -> None:
    assert set(MODELS) == set(zoo())


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_has_the_parameters_of_its_architecture(name: str) -> None:
    with torch.device("meta"):
        model = MODELS[name]()
    assert sum(parameter.numel() for parameter in model.parameters()) == zoo()[name].parameters
