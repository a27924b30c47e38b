"""Real transformers architectures, small and with seeded weights, saved and exported by Optimum as a user would."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

LABELS = {0: "gato", 1: "león", 2: "piña", 3: "árbol", 4: "persona"}
VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
QUERIES = 12
# Fresh attention looks everywhere alike, so that all queries would claim the same mask.
_ATTENTION = ("q_proj.weight", "k_proj.weight")
SHARPENED = {
    "DetrForSegmentation": (*_ATTENTION, "q_linear.weight", "k_linear.weight", "out_lay.weight"),
    "MaskFormerForInstanceSegmentation": _ATTENTION,
}

# Its configurations and processors are untyped.
transformers: Any = importlib.import_module("transformers")


def export(folder: Path, architecture: str) -> tuple[Path, Path]:
    """Save a seeded checkpoint with its image processor, and export it; returns the checkpoint and the ONNX folder."""
    from optimum.exporters.onnx import main_export

    checkpoint, task = save(folder, architecture)
    onnx_folder = folder / architecture
    main_export(str(checkpoint), onnx_folder, task=task, do_validation=False)
    return checkpoint, onnx_folder


def save(folder: Path, architecture: str) -> tuple[Path, str]:
    """Save a seeded checkpoint with its image processor; returns its folder, and its task as Optimum calls it."""
    import torch

    # Networks this small spend their time in threads that wait for one another.
    torch.set_num_threads(1)
    torch.manual_seed(11)
    model, processor, task = ARCHITECTURES[architecture]()
    _spread_scores(model)
    _measure_norms(model)
    checkpoint = folder / "checkpoint"
    model.save_pretrained(checkpoint)
    processor.save_pretrained(checkpoint)
    return checkpoint, task


def _spread_scores(model: Any) -> None:
    """Fresh heads say nearly the same of every query: make them and the queries louder, so that results differ."""
    import torch

    heads = (
        *("class_labels_classifier", "class_embed", "bbox_", "classifier", "enc_score_head", "enc_bbox_head"),
        *("class_predictor", "mask_embedder"),
    )
    queries = ("query_position_embeddings", "detection_tokens", "queries_embedder")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(SHARPENED.get(type(model).__name__, ())):
                parameter.normal_(std=1.0)
            elif any(part in name for part in heads):
                # Biases too: RT-DETR begins with those that make every score 0.01.
                parameter.normal_(std=2 / parameter.shape[-1] ** 0.5) if parameter.ndim > 1 else parameter.zero_()
            elif any(part in name for part in queries):
                parameter.normal_(std=2.0)


def _measure_norms(model: Any) -> None:
    """Let batch norms see noise once, as training would: the signal would fade from layer to layer without."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(pixel_values=torch.randn(2, 3, 160, 160))
    model.eval()


def _resnet() -> Any:
    return transformers.ResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 16, 32, 32],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )


def _detr_fields() -> dict[str, Any]:
    backbone = _resnet()
    backbone.out_features = ["stage4"]
    return {
        "use_timm_backbone": False,
        "use_pretrained_backbone": False,
        "backbone": None,
        "backbone_config": backbone,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "num_queries": QUERIES,
        "id2label": LABELS,
    }


def _detr() -> tuple[Any, Any, str]:
    model = transformers.DetrForObjectDetection(transformers.DetrConfig(**_detr_fields()))
    size = {"shortest_edge": 160, "longest_edge": 200}
    return model, transformers.DetrImageProcessor(size=size), "object-detection"


def _table_transformer() -> tuple[Any, Any, str]:
    model = transformers.TableTransformerForObjectDetection(transformers.TableTransformerConfig(**_detr_fields()))
    size = {"shortest_edge": 192, "longest_edge": 192}
    return model, transformers.DetrImageProcessor(size=size), "object-detection"


def _yolos() -> tuple[Any, Any, str]:
    config = transformers.YolosConfig(
        **VIT, image_size=[128, 192], patch_size=16, num_detection_tokens=QUERIES, id2label=LABELS
    )
    size = {"shortest_edge": 140, "longest_edge": 200}
    return transformers.YolosForObjectDetection(config), transformers.YolosImageProcessor(size=size), "object-detection"


def _rt_detr_fields() -> dict[str, Any]:
    return {
        "encoder_hidden_dim": 32,
        "encoder_in_channels": [16, 32, 32],
        "encoder_ffn_dim": 64,
        "encoder_attention_heads": 2,
        "d_model": 32,
        "decoder_in_channels": [32, 32, 32],
        "decoder_ffn_dim": 64,
        "decoder_layers": 2,
        "decoder_attention_heads": 2,
        "num_queries": QUERIES,
        "num_denoising": 0,
        "id2label": LABELS,
    }


def _rt_detr_backbone() -> Any:
    return transformers.RTDetrResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 16, 32, 32],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )


def _rt_detr_processor() -> Any:
    return transformers.RTDetrImageProcessor(size={"height": 160, "width": 160})


def _rt_detr() -> tuple[Any, Any, str]:
    config = transformers.RTDetrConfig(**_rt_detr_fields(), backbone_config=_rt_detr_backbone())
    return transformers.RTDetrForObjectDetection(config), _rt_detr_processor(), "object-detection"


def _rt_detr_v2() -> tuple[Any, Any, str]:
    config = transformers.RTDetrV2Config(**_rt_detr_fields(), backbone_config=_rt_detr_backbone())
    return transformers.RTDetrV2ForObjectDetection(config), _rt_detr_processor(), "object-detection"


def _d_fine() -> tuple[Any, Any, str]:
    backbone = transformers.HGNetV2Config(
        stem_channels=[3, 8, 16],
        stage_in_channels=[16, 16, 16, 32],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 16, 32, 32],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[2, 2, 2, 2],
        hidden_sizes=[16, 16, 32, 32],
        depths=[1, 1, 1, 1],
        embedding_size=16,
        out_features=["stage2", "stage3", "stage4"],
    )
    config = transformers.DFineConfig(**_rt_detr_fields(), backbone_config=backbone)
    return transformers.DFineForObjectDetection(config), _rt_detr_processor(), "object-detection"


def _segformer() -> tuple[Any, Any, str]:
    config = transformers.SegformerConfig(
        hidden_sizes=[16, 16, 32, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 2, 2, 2],
        decoder_hidden_size=32,
        id2label=LABELS,
    )
    processor = transformers.SegformerImageProcessor(size={"height": 128, "width": 128}, do_reduce_labels=True)
    return transformers.SegformerForSemanticSegmentation(config), processor, "semantic-segmentation"


def _mobilevit() -> tuple[Any, Any, str]:
    config = transformers.MobileViTConfig(
        image_size=128,
        hidden_sizes=[16, 24, 32],
        neck_hidden_sizes=[8, 8, 16, 24, 32, 40, 64],
        aspp_out_channels=32,
        id2label=LABELS,
    )
    processor = transformers.MobileViTImageProcessor(
        size={"shortest_edge": 144}, crop_size={"height": 128, "width": 128}
    )
    return transformers.MobileViTForSemanticSegmentation(config), processor, "image-segmentation"


def _dpt() -> tuple[Any, Any, str]:
    config = transformers.DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=128,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 16, 24, 32],
        fusion_hidden_size=16,
        use_auxiliary_head=False,
        id2label=LABELS,
    )
    processor = transformers.DPTImageProcessor(size={"height": 128, "width": 128})
    return transformers.DPTForSemanticSegmentation(config), processor, "semantic-segmentation"


def _detr_masks() -> tuple[Any, Any, str]:
    # The mask head norms as many channels as the hidden size and the heads are, in groups of eight.
    fields = _detr_fields() | {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    fields["backbone_config"].out_features = ["stage1", "stage2", "stage3", "stage4"]
    model = transformers.DetrForSegmentation(transformers.DetrConfig(**fields))
    size = {"shortest_edge": 160, "longest_edge": 200}
    return model, transformers.DetrImageProcessor(size=size), "image-segmentation"


def _maskformer() -> tuple[Any, Any, str]:
    backbone = transformers.SwinConfig(
        image_size=160,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[2, 2, 2, 2],
        window_size=5,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = transformers.MaskFormerConfig(
        backbone_config=backbone,
        decoder_config=transformers.DetrConfig(**_detr_fields()),
        fpn_feature_size=32,
        mask_feature_size=32,
        id2label=LABELS,
    )
    processor = transformers.MaskFormerImageProcessor(size={"height": 160, "width": 160})
    return transformers.MaskFormerForInstanceSegmentation(config), processor, "image-segmentation"


def _vit() -> tuple[Any, Any, str]:
    config = transformers.ViTConfig(**VIT, image_size=160, patch_size=16, id2label=LABELS)
    processor = transformers.ViTImageProcessor(size={"height": 160, "width": 160})
    return transformers.ViTForImageClassification(config), processor, "image-classification"


ARCHITECTURES: dict[str, Callable[[], tuple[Any, Any, str]]] = {
    "detr": _detr,
    "table_transformer": _table_transformer,
    "yolos": _yolos,
    "rt_detr": _rt_detr,
    "rt_detr_v2": _rt_detr_v2,
    "d_fine": _d_fine,
    "segformer": _segformer,
    "mobilevit": _mobilevit,
    "dpt": _dpt,
    "detr_masks": _detr_masks,
    "maskformer": _maskformer,
    "vit": _vit,
}
