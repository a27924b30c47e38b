"""CLIP and SigLIP with their texts fixed: the texts are encoded once, at export, and the graph is a plain classifier.

The classifier of the runtime then runs it as it runs any other; no tokenizer is needed where video is watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from transformers import AutoTokenizer, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput

from exporters.errors import ExportError
from models.networks.sketch_cnn import label_settings

PROMPT = "This is a photo of {}."
"""The template of transformers' zero-shot pipeline."""


class FixedTextsConfig(PretrainedConfig):
    """The side of the picture; the rest is in the weights."""

    model_type = "mirilla_fixed_texts"

    def __init__(self, image_size: int = 224, num_channels: int = 3, **kwargs: Any) -> None:
        self.image_size = image_size
        self.num_channels = num_channels
        super().__init__(**kwargs)


class FixedTexts(PreTrainedModel):  # type: ignore[no-untyped-call]
    """A picture in, one row of logits out: how well each of the fixed texts fits it.

    CLIP's logits go through a softmax. SigLIP's are independent of one another: here they come as probabilities.
    """

    config_class = FixedTextsConfig
    main_input_name = "pixel_values"

    def __init__(self, config: FixedTextsConfig, model: PreTrainedModel, embeddings: Tensor) -> None:
        super().__init__(config)
        # The halves of CLIP and SigLIP have their names in common, and no class.
        self.model: Any = model
        self.is_sigmoid = model.config.model_type == "siglip"
        self.register_buffer("text_embeddings", embeddings)

    @classmethod
    def of(cls, model: PreTrainedModel, folder: Path, texts: Sequence[str]) -> FixedTexts:
        """Encode the texts with the checkpoint's own tokenizer.

        Raises:
            ExportError: the folder has no tokenizer that can be read.
        """
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(  # type: ignore[no-untyped-call]
                folder, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # every tokenizer class raises its own
            raise ExportError(
                f"{folder}: no tokenizer to read the --labels with; copy tokenizer.json from where the weights are from"
            ) from error
        length = model.config.text_config.max_position_embeddings
        prompts = [PROMPT.format(text) for text in texts]
        tokens = tokenizer(prompts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        accepted = {"input_ids"} if model.config.model_type == "siglip" else {"input_ids", "attention_mask"}
        halves: Any = model
        with torch.inference_mode():
            embeddings = halves.get_text_features(**{name: tokens[name] for name in accepted})
        embeddings = embeddings / embeddings.norm(p=2, dim=-1, keepdim=True)
        config = FixedTextsConfig(image_size=model.config.vision_config.image_size, **label_settings(texts))
        made = cls(config, model, embeddings.clone())
        made.train(mode=False)
        return made

    def forward(self, pixel_values: Tensor, return_dict: bool | None = None) -> ImageClassifierOutput | tuple[Tensor]:
        """Float32 (N, texts): CLIP's logits, or SigLIP's probabilities."""
        features = self.model.get_image_features(pixel_values)
        features = features / features.norm(p=2, dim=-1, keepdim=True)
        # Torch types buffers as tensor or module.
        texts = cast("Tensor", self.text_embeddings)
        scores = features @ texts.t() * self.model.logit_scale.exp()
        if self.is_sigmoid:
            scores = torch.sigmoid(scores + self.model.logit_bias)
        if return_dict is False:
            return (scores,)
        return ImageClassifierOutput(logits=cast("torch.FloatTensor", scores))
