"""The course's U-Net: an encoder and a decoder with skip connections, that names every pixel of a picture.

A transformers model: `pixel_values` float32 (N, 3, H, W), 0..1, go in; `logits` float32 (N, planes, H, W) come out, one
plane for two classes (`binary`, trained with binary cross-entropy), else one a class. Sides are multiples of
2 ** (stages - 1). Ronneberger, Fischer and Brox, U-Net (2015), with 'same' padding and batch norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSemanticSegmentation, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SemanticSegmenterOutput


class UNetConfig(PretrainedConfig):
    """Channels of the stages, outermost first, and whether one plane says yes or no."""

    model_type = "mirilla_unet"

    def __init__(
        self,
        num_channels: int = 3,
        image_size: int = 256,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        binary: bool = False,
        **kwargs: Any,
    ) -> None:
        if len(channels) < 2:
            raise ValueError(f"channels: expected two stages or more, got {list(channels)}")
        step = 2 ** (len(channels) - 1)
        if image_size % step:
            raise ValueError(f"image_size: expected a multiple of {step} for {len(channels)} stages, got {image_size}")
        self.num_channels = num_channels
        self.image_size = image_size
        self.channels = list(channels)
        self.binary = binary
        super().__init__(**kwargs)


class UNet(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Down by max-pooling, up by transposed convolutions, what was seen on the way down joined on the way up."""

    config_class = UNetConfig
    base_model_prefix = "unet"
    main_input_name = "pixel_values"

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        widths = config.channels
        into = [config.num_channels, *widths[:-1]]
        self.down = nn.ModuleList(_two_convolutions(i, o) for i, o in zip(into, widths, strict=True))
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.rise = nn.ModuleList(nn.ConvTranspose2d(deep, wide, 2, stride=2) for deep, wide in pairs)
        self.join = nn.ModuleList(_two_convolutions(2 * wide, wide) for _, wide in pairs)
        self.head = nn.Conv2d(widths[0], 1 if config.binary else config.num_labels, 1)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, return_dict: bool | None = None
    ) -> SemanticSegmenterOutput | tuple[Tensor, ...]:
        """Logits float32 (N, planes, H, W), and the loss where there are labels.

        Args:
            pixel_values: float32 (N, 3, H, W), 0..1.
            labels: int64 (N, H, W); with `binary` 0 or 1.
            return_dict: False gives a plain tuple, loss first.
        """
        seen: list[Tensor] = []
        features = pixel_values
        for depth, stage in enumerate(self.down):
            features = stage(features if depth == 0 else nn.functional.max_pool2d(features, 2))
            seen.append(features)
        for rise, join, skipped in zip(self.rise, self.join, seen[-2::-1], strict=True):
            features = join(torch.cat([skipped, rise(features)], dim=1))
        logits: Tensor = self.head(features)
        loss = None if labels is None else self._loss(logits, labels)
        if return_dict is False:
            return (logits,) if loss is None else (loss, logits)
        # Transformers declares its outputs as FloatTensor, which no tensor of today is.
        return SemanticSegmenterOutput(
            loss=cast("torch.FloatTensor | None", loss), logits=cast("torch.FloatTensor", logits)
        )

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.binary:
            return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
        return nn.functional.cross_entropy(logits, labels)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


AutoConfig.register(UNetConfig.model_type, UNetConfig, exist_ok=True)
AutoModelForSemanticSegmentation.register(UNetConfig, UNet, exist_ok=True)
