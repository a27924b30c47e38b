"""Checkpoints of real transformers architectures, small and with seeded weights, saved as their makers save them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from models.networks.sketch_cnn import SketchCnn, SketchCnnConfig, label_settings
from models.networks.unet import UNet, UNetConfig

# Their configurations, processors and tokenizers are untyped.
tf: Any = importlib.import_module("transformers")
tokenizers: Any = importlib.import_module("tokenizers")
LABELS = label_settings(["cat", "alarm clock", "star"])
_SHORTEST = {"shortest_edge": 64, "longest_edge": 96}


@dataclass(frozen=True, slots=True)
class Architecture:
    """One architecture of the coverage list.

    Attributes:
        build: makes the model; weights are whatever the random generator gives.
        processor: None for networks of ours.
        task: as `--task` and the inference of it name it.
        write_tokenizer: into the checkpoint's folder; None for those that read no texts.
    """

    build: Callable[[], PreTrainedModel]
    processor: Callable[[], Any] | None
    task: str
    write_tokenizer: Callable[[Path], None] | None = None


def resnet_backbone() -> Any:
    return tf.ResNetConfig(
        embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 1, 1], out_features=["stage4"]
    )


def detr_settings() -> dict[str, Any]:
    return {
        "use_timm_backbone": False,
        "use_pretrained_backbone": False,
        "backbone": None,
        "backbone_config": resnet_backbone(),
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 8,
        "decoder_attention_heads": 8,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "num_queries": 12,
        **LABELS,
    }


def detr_segmentation_config() -> Any:
    backbone = resnet_backbone()
    backbone.out_features = ["stage1", "stage2", "stage3", "stage4"]
    return tf.DetrConfig(**detr_settings() | {"backbone_config": backbone})


def rt_detr_settings() -> dict[str, Any]:
    return {
        "encoder_hidden_dim": 32,
        "encoder_in_channels": [16, 24, 32],
        "feat_strides": [8, 16, 32],
        "encoder_layers": 1,
        "encoder_ffn_dim": 32,
        "encoder_attention_heads": 4,
        "d_model": 32,
        # As many queries as 64x64 px have anchors: with random weights, which of them are best is chance.
        "num_queries": 84,
        "decoder_in_channels": [32, 32, 32],
        "decoder_ffn_dim": 32,
        "decoder_layers": 2,
        "decoder_attention_heads": 4,
        "decoder_n_points": 2,
        "num_denoising": 0,
        "anchor_image_size": None,
        **LABELS,
    }


def rt_detr_backbone() -> Any:
    return tf.RTDetrResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 16, 24, 32],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )


def hgnet_backbone() -> Any:
    return tf.HGNetV2Config(
        embedding_size=16,
        hidden_sizes=[16, 16, 24, 32],
        depths=[1, 1, 1, 1],
        stem_channels=[3, 8, 16],
        stage_in_channels=[16, 16, 16, 24],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 16, 24, 32],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[1, 1, 1, 1],
        stage_downsample=[False, True, True, True],
        stage_light_block=[False, False, True, True],
        stage_kernel_size=[3, 3, 5, 5],
        out_features=["stage2", "stage3", "stage4"],
    )


def vit_settings(image_size: int = 32) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "image_size": image_size,
        "patch_size": 8,
    }


def dpt_config() -> Any:
    return tf.DPTConfig(
        **vit_settings(64) | {"num_hidden_layers": 4},
        neck_hidden_sizes=[16, 16, 32, 32],
        backbone_out_indices=[0, 1, 2, 3],
        fusion_hidden_size=16,
        is_hybrid=False,
        auxiliary_loss_weight=0.0,
        use_auxiliary_head=False,
        **LABELS,
    )


def depth_anything_config(**settings: Any) -> Any:
    backbone = tf.Dinov2Config(
        **vit_settings(70) | {"patch_size": 14, "num_hidden_layers": 4},
        out_features=["stage1", "stage2", "stage3", "stage4"], apply_layernorm=True, reshape_hidden_states=False,
    )  # fmt: skip
    return tf.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
        **settings,
    )


def maskformer_config() -> Any:
    backbone = tf.SwinConfig(
        image_size=64, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[2, 2, 2, 2], window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    decoder = tf.DetrConfig(**detr_settings())
    return tf.MaskFormerConfig(
        backbone_config=backbone, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, **LABELS
    )


def sam_config(pruned: bool) -> Any:
    vision = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64, "patch_size": 16,
        "output_channels": 32, "mlp_dim": 64, "window_size": 2, "global_attn_indexes": [1], "num_pos_feats": 16,
    }  # fmt: skip
    if pruned:
        # SlimSAM keeps fewer channels, so that the width of the MLP is no multiple of the hidden size.
        vision |= {"hidden_size": 28, "mlp_dim": 44}
    return tf.SamConfig(
        vision_config=tf.SamVisionConfig(**vision).to_dict(),
        prompt_encoder_config={"hidden_size": 32, "image_size": 64, "patch_size": 16, "mask_input_channels": 4,
                               "image_embedding_size": 4},
        mask_decoder_config={"hidden_size": 32, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
                             "iou_head_hidden_dim": 32},
    )  # fmt: skip


def text_settings(length: int) -> dict[str, Any]:
    """Of a text encoder whose vocabulary is `letter_tokens`."""
    return {"vocab_size": 514, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 4, "max_position_embeddings": length,
            "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}  # fmt: skip


def clip_config() -> Any:
    return tf.CLIPConfig(
        text_config=text_settings(77) | {"projection_dim": 16},
        vision_config=vit_settings() | {"projection_dim": 16},
        projection_dim=16,
    )


def siglip_config() -> Any:
    # The pipeline fills texts up to 64 tokens, whatever the network says.
    return tf.SiglipConfig(text_config=text_settings(64) | {"projection_size": 32}, vision_config=vit_settings())


def siglip() -> PreTrainedModel:
    model = tf.SiglipModel(siglip_config())
    # As after training: likeness moves scores far.
    model.logit_scale.data.fill_(3.0)
    made: PreTrainedModel = model
    return made


def letter_tokens() -> dict[str, int]:
    """A vocabulary of single bytes, as those of CLIP begin: within words, at their ends, start and end of a text."""
    letters = list(tf.models.clip.tokenization_clip.bytes_to_unicode().values())
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {name: number for number, name in enumerate(names)}


def write_clip_tokenizer(folder: Path) -> None:
    """The files of CLIP's own tokenizer, without `tokenizer.json`, as the first checkpoints on the hub have it."""
    (folder / "vocab.json").write_text(json.dumps(letter_tokens()), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    content = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "unk_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(content), encoding="utf-8")


def write_siglip_tokenizer(folder: Path) -> None:
    """A `tokenizer.json` that lowers letters and ends texts, for a class that gives no mask, as SigLIP's does."""
    light = tokenizers.Tokenizer(tokenizers.models.BPE(letter_tokens(), [], end_of_word_suffix="</w>"))
    light.normalizer = tokenizers.normalizers.Lowercase()
    light.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    light.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", 513)]
    )
    # What the file says of length is for other uses.
    light.enable_truncation(5)
    tf.PreTrainedTokenizerFast(
        tokenizer_object=light, pad_token="<|endoftext|>", model_input_names=["input_ids"], model_max_length=64
    ).save_pretrained(folder)


def vitpose_config(**experts: int) -> Any:
    backbone = tf.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        mlp_ratio=1, out_indices=[2], out_features=["stage2"], **experts,
    )  # fmt: skip
    return tf.VitPoseConfig(backbone_config=backbone, **LABELS)


def square(kind: str, side: int = 32, **settings: Any) -> Callable[[], Any]:
    """A processor that stretches pictures to a square."""
    return lambda: getattr(tf, kind)(size={"height": side, "width": side}, **settings)


DETECTORS = {
    "detr": Architecture(
        lambda: tf.DetrForObjectDetection(tf.DetrConfig(**detr_settings())),
        lambda: tf.DetrImageProcessor(size=_SHORTEST),
        "object-detection",
    ),
    "table-transformer": Architecture(
        lambda: tf.TableTransformerForObjectDetection(tf.TableTransformerConfig(**detr_settings())),
        lambda: tf.DetrImageProcessor(size=_SHORTEST),
        "object-detection",
    ),
    "yolos": Architecture(
        lambda: tf.YolosForObjectDetection(
            tf.YolosConfig(**vit_settings() | {"image_size": [64, 96]}, num_detection_tokens=10, **LABELS)
        ),
        lambda: tf.YolosImageProcessor(size=_SHORTEST),
        "object-detection",
    ),
    "rt-detr": Architecture(
        lambda: tf.RTDetrForObjectDetection(tf.RTDetrConfig(backbone_config=rt_detr_backbone(), **rt_detr_settings())),
        square("RTDetrImageProcessor", 64),
        "object-detection",
    ),
    "rt-detr-v2": Architecture(
        lambda: tf.RTDetrV2ForObjectDetection(
            tf.RTDetrV2Config(backbone_config=rt_detr_backbone(), **rt_detr_settings())
        ),
        square("RTDetrImageProcessor", 64),
        "object-detection",
    ),
    "d-fine": Architecture(
        lambda: tf.DFineForObjectDetection(tf.DFineConfig(backbone_config=hgnet_backbone(), **rt_detr_settings())),
        square("RTDetrImageProcessor", 64),
        "object-detection",
    ),
}

SEGMENTERS = {
    "segformer": Architecture(
        lambda: tf.SegformerForSemanticSegmentation(
            tf.SegformerConfig(
                depths=[1, 1, 1, 1],
                hidden_sizes=[8, 8, 16, 16],
                num_attention_heads=[1, 1, 2, 2],
                decoder_hidden_size=16,
                **LABELS,
            )
        ),
        square("SegformerImageProcessor", 64),
        "semantic-segmentation",
    ),
    "mobilevit-deeplabv3": Architecture(
        lambda: tf.MobileViTForSemanticSegmentation(
            tf.MobileViTConfig(
                image_size=64,
                hidden_sizes=[16, 16, 16],
                neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 16],
                aspp_out_channels=16,
                output_stride=16,
                **LABELS,
            )
        ),
        lambda: tf.MobileViTImageProcessor(size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64}),
        "semantic-segmentation",
    ),
    "dpt-segmentation": Architecture(
        lambda: tf.DPTForSemanticSegmentation(dpt_config()),
        square("DPTImageProcessor", 64),
        "semantic-segmentation",
    ),
    "detr-segmentation": Architecture(
        lambda: tf.DetrForSegmentation(detr_segmentation_config()),
        lambda: tf.DetrImageProcessor(size=_SHORTEST),
        "image-segmentation",
    ),
    "maskformer": Architecture(
        lambda: tf.MaskFormerForInstanceSegmentation(maskformer_config()),
        lambda: tf.MaskFormerImageProcessor(size={"height": 64, "width": 64}),
        "image-segmentation",
    ),
}

CLASSIFIERS = {
    "vit": Architecture(
        lambda: tf.ViTForImageClassification(tf.ViTConfig(**vit_settings(), **LABELS)),
        square("ViTImageProcessor"),
        "image-classification",
    ),
    "deit": Architecture(
        lambda: tf.DeiTForImageClassification(tf.DeiTConfig(**vit_settings(), **LABELS)),
        square("DeiTImageProcessor", 36, crop_size={"height": 32, "width": 32}),
        "image-classification",
    ),
    "resnet": Architecture(
        lambda: tf.ResNetForImageClassification(
            tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], **LABELS)
        ),
        lambda: tf.ConvNextImageProcessor(size={"shortest_edge": 32}),
        "image-classification",
    ),
    "convnext": Architecture(
        lambda: tf.ConvNextForImageClassification(
            tf.ConvNextConfig(hidden_sizes=[8, 8], depths=[1, 1], num_stages=2, **LABELS)
        ),
        lambda: tf.ConvNextImageProcessor(size={"shortest_edge": 32}),
        "image-classification",
    ),
    "swin": Architecture(
        lambda: tf.SwinForImageClassification(
            tf.SwinConfig(image_size=32, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4, **LABELS)
        ),
        square("ViTImageProcessor"),
        "image-classification",
    ),
    "mobilenet-v2": Architecture(
        lambda: tf.MobileNetV2ForImageClassification(
            tf.MobileNetV2Config(depth_multiplier=0.25, image_size=32, **LABELS)
        ),
        lambda: tf.MobileNetV2ImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}),
        "image-classification",
    ),
    "sketch-cnn": Architecture(lambda: SketchCnn(SketchCnnConfig(**LABELS)), None, "image-classification"),
}

OTHERS = {
    "clip": Architecture(
        lambda: tf.CLIPModel(clip_config()),
        lambda: tf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        "zero-shot-image-classification",
        write_clip_tokenizer,
    ),
    "siglip": Architecture(
        siglip,
        square("SiglipImageProcessor"),
        "zero-shot-image-classification",
        write_siglip_tokenizer,
    ),
    "dpt-depth": Architecture(
        lambda: tf.DPTForDepthEstimation(dpt_config()), square("DPTImageProcessor", 64), "depth-estimation"
    ),
    "depth-anything": Architecture(
        lambda: tf.DepthAnythingForDepthEstimation(depth_anything_config()),
        square("DPTImageProcessor", 70, keep_aspect_ratio=True, ensure_multiple_of=14),
        "depth-estimation",
    ),
    "glpn-depth": Architecture(
        lambda: tf.GLPNForDepthEstimation(
            tf.GLPNConfig(
                depths=[1, 1, 1, 1],
                hidden_sizes=[8, 8, 16, 16],
                num_attention_heads=[1, 1, 2, 2],
                decoder_hidden_size=16,
            )
        ),
        tf.GLPNImageProcessor,
        "depth-estimation",
    ),
    "vitpose": Architecture(
        lambda: tf.VitPoseForPoseEstimation(vitpose_config()),
        lambda: tf.VitPoseImageProcessor(size={"height": 64, "width": 48}),
        "keypoint-detection",
    ),
    "vitpose-plus": Architecture(
        lambda: tf.VitPoseForPoseEstimation(vitpose_config(num_experts=2, part_features=8)),
        lambda: tf.VitPoseImageProcessor(size={"height": 64, "width": 48}),
        "keypoint-detection",
    ),
    "sam": Architecture(
        lambda: tf.SamModel(sam_config(pruned=False)),
        lambda: tf.SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}),
        "mask-generation",
    ),
    "slim-sam": Architecture(
        lambda: tf.SamModel(sam_config(pruned=True)),
        lambda: tf.SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}),
        "mask-generation",
    ),
}

UNETS = {
    "unet-binary": Architecture(
        lambda: UNet(UNetConfig(image_size=32, channels=(8, 8, 16), binary=True, **label_settings(["skin", "lesion"]))),
        None,
        "semantic-segmentation",
    ),
    "unet": Architecture(
        lambda: UNet(UNetConfig(image_size=32, channels=(8, 8, 16), **LABELS)), None, "semantic-segmentation"
    ),
}

ARCHITECTURES = UNETS | DETECTORS | SEGMENTERS | CLASSIFIERS | OTHERS


def build(name: str) -> PreTrainedModel:
    """The architecture's model with its seeded weights, ready to infer."""
    torch.manual_seed(7)
    model = ARCHITECTURES[name].build()
    enliven(model)
    model.train(mode=False)
    return model


def enliven(model: PreTrainedModel) -> None:
    """Weights of a size that lets signals through: with those that transformers starts from, outputs hardly move."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                fan_in = parameter[0].numel()
                parameter.normal_(0, fan_in**-0.5)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.05)


def write_checkpoint(name: str, folder: Path) -> Path:
    """The folder that `save_pretrained` of model and processor leave."""
    build(name).save_pretrained(folder)
    processor = ARCHITECTURES[name].processor
    if processor is not None:
        processor().save_pretrained(folder)
    write_tokenizer = ARCHITECTURES[name].write_tokenizer
    if write_tokenizer is not None:
        write_tokenizer(folder)
    return folder
