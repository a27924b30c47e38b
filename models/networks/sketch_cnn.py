"""The two networks that name 28x28 drawings: the course's `SketchCnn` and the stronger `SketchResNet`.

Both are transformers models: `pixel_values` float32 (N, 1, 28, 28), 0..1, white ink on black, go in; `logits` float32
(N, classes) come out. Training writes their checkpoints; `exporters/` turns a checkpoint into an ONNX package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForImageClassification, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput

from models.errors import ModelError

SIDE_PX = 28
NOTES_WEIGHTS_FILE = "pytorch_model.bin"
NOTES_NAMES_FILE = "class_names.txt"


class SketchCnnConfig(PretrainedConfig):
    """The course notes' network: channels of its three convolutions and width of its hidden layer."""

    model_type = "mirilla_sketch_cnn"

    def __init__(
        self,
        num_channels: int = 1,
        image_size: int = SIDE_PX,
        channels: Sequence[int] = (32, 64, 128),
        hidden_size: int = 256,
        **kwargs: Any,
    ) -> None:
        self.num_channels = num_channels
        self.image_size = image_size
        self.channels = list(channels)
        self.hidden_size = hidden_size
        super().__init__(**kwargs)


class SketchResNetConfig(PretrainedConfig):
    """A small residual network: channels and number of residual blocks of its stages, dropout before the classifier.

    With `mirrored`, the answer is the mean over the picture and its mirror image.
    """

    model_type = "mirilla_sketch_resnet"

    def __init__(
        self,
        num_channels: int = 1,
        image_size: int = SIDE_PX,
        channels: Sequence[int] = (32, 64, 128),
        depths: Sequence[int] = (1, 2, 1),
        dropout: float = 0.1,
        mirrored: bool = False,
        **kwargs: Any,
    ) -> None:
        if len(channels) != len(depths):
            raise ValueError(f"expected as many depths as channels, got {list(depths)} and {list(channels)}")
        self.num_channels = num_channels
        self.image_size = image_size
        self.channels = list(channels)
        self.depths = list(depths)
        self.dropout = dropout
        self.mirrored = mirrored
        super().__init__(**kwargs)


class SketchModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """What both networks share: one image tensor in, class logits out, a cross-entropy loss where labels are given."""

    base_model_prefix = "network"
    main_input_name = "pixel_values"
    network: nn.Module

    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, return_dict: bool | None = None
    ) -> ImageClassifierOutput | tuple[Tensor, ...]:
        """Logits float32 (N, classes), and the loss where there are labels.

        Args:
            pixel_values: float32 (N, 1, 28, 28), 0..1, white ink on black.
            labels: int64 (N,).
            return_dict: False gives a plain tuple, loss first.
        """
        logits = self.logits_of(pixel_values)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        if return_dict is False:
            return (logits,) if loss is None else (loss, logits)
        # Transformers declares its outputs as FloatTensor, which no tensor of today is.
        return ImageClassifierOutput(
            loss=cast("torch.FloatTensor | None", loss), logits=cast("torch.FloatTensor", logits)
        )

    def logits_of(self, pixel_values: Tensor) -> Tensor:
        """Logits float32 (N, classes) of `pixel_values` (N, 1, 28, 28)."""
        logits: Tensor = self.network(pixel_values)
        return logits

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class SketchCnn(SketchModel):  # type: ignore[no-untyped-call]
    """The network of the course notes, layer for layer, so that its `nn.Sequential` checkpoints fit.

    Three 3x3 'same' convolutions, each with ReLU and 2x2 max-pooling; flatten; linear, ReLU; linear to the classes.
    """

    config_class = SketchCnnConfig

    def __init__(self, config: SketchCnnConfig) -> None:
        super().__init__(config)
        layers: list[nn.Module] = []
        width = config.num_channels
        for channels in config.channels:
            layers += [nn.Conv2d(width, channels, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
            width = channels
        side = config.image_size // 2 ** len(config.channels)
        layers += [nn.Flatten(), nn.Linear(width * side * side, config.hidden_size), nn.ReLU()]
        layers += [nn.Linear(config.hidden_size, config.num_labels)]
        self.network = nn.Sequential(*layers)
        self.post_init()  # type: ignore[no-untyped-call]


class SketchResNet(SketchModel):  # type: ignore[no-untyped-call]
    """Stem and pooling, then stages of residual blocks (He et al. 2016), each after the first at half the side.

    A mean over the picture, dropout and one linear layer name the classes.
    """

    config_class = SketchResNetConfig

    def __init__(self, config: SketchResNetConfig) -> None:
        super().__init__(config)
        width = config.channels[0]
        layers: list[nn.Module] = [_convolution(config.num_channels, width, stride=1), nn.ReLU(), nn.MaxPool2d(2)]
        for stage, (channels, depth) in enumerate(zip(config.channels, config.depths, strict=True)):
            if stage > 0:
                layers += [_convolution(width, channels, stride=2), nn.ReLU()]
            layers += [ResidualBlock(channels) for _ in range(depth)]
            width = channels
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout)]
        layers += [nn.Linear(width, config.num_labels)]
        self.network = nn.Sequential(*layers)
        self.post_init()  # type: ignore[no-untyped-call]

    def logits_of(self, pixel_values: Tensor) -> Tensor:
        """Logits float32 (N, classes); once trained, the mean over the picture and its mirror image where asked for."""
        if self.training or not self.config.mirrored:
            return super().logits_of(pixel_values)
        both: Tensor = self.network(torch.cat([pixel_values, pixel_values.flip(-1)]))
        return both.reshape(2, -1, self.config.num_labels).mean(dim=0)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, stride=1)
        self.second = _convolution(channels, channels, stride=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features float32 (N, C, H, W) of any side; the shape is kept."""
        inner = torch.relu(self.first(features))
        return torch.relu(features + self.second(inner))


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs))


def load_sketch_model(folder: Path) -> SketchModel:
    """Read a checkpoint folder, ours (`config.json`) or the course notes' (`pytorch_model.bin`, `class_names.txt`).

    Raises:
        ModelError: the folder is neither, or its files are damaged or of another network.
    """
    weights_file, names_file = folder / NOTES_WEIGHTS_FILE, folder / NOTES_NAMES_FILE
    if not weights_file.is_file() or not names_file.is_file():
        if (folder / "config.json").is_file():
            return _load_ours(folder)
        raise ModelError(
            f"{folder} holds no sketch checkpoint: expected config.json, or {NOTES_WEIGHTS_FILE} and {NOTES_NAMES_FILE}"
        )
    names = [line.strip() for line in names_file.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        weights = torch.load(weights_file, map_location="cpu", weights_only=True)
    except Exception as error:  # a torn file breaks torch's reader in ways of its own
        raise ModelError(f"{weights_file}: no weights that can be read safely; save the model's state_dict") from error
    return sketch_cnn_from_notes(weights, names)


def _load_ours(folder: Path) -> SketchModel:
    try:
        model = AutoModelForImageClassification.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers, safetensors and json each raise their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{folder}: no transformers checkpoint that can be read: {reason}") from error
    if not isinstance(model, SketchModel):
        raise ModelError(f"{folder}: expected a sketch network, got {model.config.model_type!r}")
    model.train(mode=False)
    return model


def sketch_cnn_from_notes(weights: dict[str, Tensor], class_names: Sequence[str]) -> SketchCnn:
    """Build `SketchCnn` around plain `nn.Sequential` weights; the layers' sizes are read off the weights.

    Raises:
        ModelError: the weights are of another network or of another number of classes.
    """
    expected = {f"{layer}.{part}" for layer in (0, 3, 6, 10, 12) for part in ("weight", "bias")}
    if set(weights) != expected:
        raise ModelError(f"expected the weights {sorted(expected)}, got {sorted(weights)}")
    if weights["12.bias"].shape != (len(class_names),):
        raise ModelError(f"expected {weights['12.bias'].shape[0]} class names, got {len(class_names)}")
    config = SketchCnnConfig(
        num_channels=weights["0.weight"].shape[1],
        channels=[weights[f"{layer}.weight"].shape[0] for layer in (0, 3, 6)],
        hidden_size=weights["10.weight"].shape[0],
        **label_settings(class_names),
    )
    model = SketchCnn(config)
    model.network.load_state_dict(weights)
    model.train(mode=False)
    return model


def label_settings(class_names: Sequence[str]) -> dict[str, Any]:
    """The names as transformers configurations keep them: `id2label` and `label2id`."""
    return {
        "id2label": dict(enumerate(class_names)),
        "label2id": {name: index for index, name in enumerate(class_names)},
    }


def _register() -> None:
    for config, model in ((SketchCnnConfig, SketchCnn), (SketchResNetConfig, SketchResNet)):
        AutoConfig.register(config.model_type, config, exist_ok=True)
        AutoModelForImageClassification.register(config, model, exist_ok=True)


_register()
