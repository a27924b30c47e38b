"""RT-DETR in a configuration small enough for a webcam on two cores: transformers' own network, two million weights.

Built for training (`models/training/train_detector.py`); the exporter meets it as any other RT-DETR checkpoint.
Zhao et al., https://arxiv.org/abs/2304.08069
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor, RTDetrResNetConfig


@dataclass(frozen=True, slots=True)
class DetectorShape:
    """How large the network is.

    Attributes:
        channels: of the four stages of the backbone, at strides 4, 8, 16, 32.
        depths: residual blocks of the stages; transformers' backbone needs at least 2 of each.
        width: of the encoder, the decoder and their queries.
        feed_forward: inner width of their feed-forward layers.
        decoder_layers: each corrects the boxes of the one before.
        queries: the most objects that one picture can have.
        denoising: noisy copies of the true boxes that training adds as queries.
    """

    channels: tuple[int, int, int, int] = (24, 48, 96, 104)
    depths: tuple[int, int, int, int] = (2, 2, 2, 2)
    width: int = 96
    feed_forward: int = 192
    decoder_layers: int = 3
    queries: int = 60
    denoising: int = 30


def build_detector(shape: DetectorShape, class_names: Sequence[str]) -> RTDetrForObjectDetection:
    """A network with fresh weights; its batch norm learns, for there is no pretrained backbone to protect."""
    backbone = RTDetrResNetConfig(  # type: ignore[no-untyped-call]
        embedding_size=shape.channels[0],
        hidden_sizes=list(shape.channels),
        depths=list(shape.depths),
        layer_type="basic",
        out_indices=[2, 3, 4],
    )
    config = RTDetrConfig(  # type: ignore[no-untyped-call]
        backbone_config=backbone,
        freeze_backbone_batch_norms=False,
        encoder_in_channels=list(shape.channels[1:]),
        encoder_hidden_dim=shape.width,
        encoder_ffn_dim=shape.feed_forward,
        encoder_attention_heads=4,
        hidden_expansion=0.5,
        d_model=shape.width,
        decoder_in_channels=[shape.width] * 3,
        decoder_ffn_dim=shape.feed_forward,
        decoder_layers=shape.decoder_layers,
        decoder_attention_heads=4,
        num_queries=shape.queries,
        num_denoising=shape.denoising,
        id2label=dict(enumerate(class_names)),
        label2id={name: index for index, name in enumerate(class_names)},
    )
    return RTDetrForObjectDetection(config)


def stretching_processor(size_wh: tuple[int, int]) -> RTDetrImageProcessor:
    """How pictures become the network's input: stretched to its size, 0..1."""
    return RTDetrImageProcessor(size={"height": size_wh[1], "width": size_wh[0]}, do_normalize=False)
