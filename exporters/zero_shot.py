"""CLIP and SigLIP, taken apart: pictures are encoded frame after frame, texts once.

With the texts fixed at export the graph is a plain classifier, and no tokenizer is needed where video is watched. With
texts given at run time there are two graphs, one for pictures and one for texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.modeling_outputs import ImageClassifierOutput
from transformers.models.clip.modeling_clip import CLIPTextModelOutput, CLIPVisionModelOutput

from exporters.errors import ExportError
from models.manifest import TOKENIZER_NAME, TextSpec
from models.networks.sketch_cnn import label_settings

PROMPT = "This is a photo of {}."
"""The template of transformers' zero-shot pipeline."""
PROBES = ("a person", "a dog", "a cat", "a car", "a bicycle", "a tree", "a house", "the sky", "food", "a computer")
"""What texts are compared on that nobody knows yet."""


class HalfConfig(PretrainedConfig):
    """What tracing needs to know of either half; the rest is in the weights."""

    def __init__(self, image_size: int = 224, num_channels: int = 3, vocab_size: int = 0, **kwargs: Any) -> None:
        self.image_size = image_size
        self.num_channels = num_channels
        self.vocab_size = vocab_size
        super().__init__(**kwargs)

    @classmethod
    def of(cls, model: PreTrainedModel, **settings: Any) -> HalfConfig:
        """The configuration of a half of CLIP or SigLIP."""
        config = model.config
        return cls(config.vision_config.image_size, vocab_size=config.text_config.vocab_size, **settings)


class FixedTextsConfig(HalfConfig):
    """Of pictures, with the texts as classes."""

    model_type = "mirilla_fixed_texts"


class PictureHalfConfig(HalfConfig):
    """Of pictures alone."""

    model_type = "mirilla_picture_half"


class TextHalfConfig(HalfConfig):
    """Of texts alone."""

    model_type = "mirilla_text_half"

    def __init__(self, *args: Any, takes_mask: bool = True, **kwargs: Any) -> None:
        self.takes_mask = takes_mask
        super().__init__(*args, **kwargs)


class _Half(PreTrainedModel):  # type: ignore[no-untyped-call]
    """A half of CLIP or SigLIP, which have the names of their parts in common, and no class."""

    def __init__(self, config: HalfConfig, model: PreTrainedModel) -> None:
        super().__init__(config)
        self.model: Any = model
        self.train(mode=False)


class PictureHalf(_Half):  # type: ignore[no-untyped-call]
    """A picture in, its embedding of length 1 out."""

    config_class = PictureHalfConfig
    main_input_name = "pixel_values"

    def forward(self, pixel_values: Tensor, return_dict: bool | None = None) -> CLIPVisionModelOutput:  # noqa: ARG002 - Optimum gives it
        """Float32 (N, D)."""
        embeddings = _of_length_one(self.model.get_image_features(pixel_values))
        return CLIPVisionModelOutput(image_embeds=cast("torch.FloatTensor", embeddings))


class TextHalf(_Half):  # type: ignore[no-untyped-call]
    """Tokens of texts in, their embeddings of length 1 out; `attention_mask` is not for SigLIP."""

    config_class = TextHalfConfig
    main_input_name = "input_ids"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_dict: bool | None = None,  # noqa: ARG002 - Optimum gives it
    ) -> CLIPTextModelOutput:
        """Float32 (T, D)."""
        masks = {} if attention_mask is None else {"attention_mask": attention_mask}
        embeddings = _of_length_one(self.model.get_text_features(input_ids, **masks))
        return CLIPTextModelOutput(text_embeds=cast("torch.FloatTensor", embeddings))


class FixedTexts(_Half):  # type: ignore[no-untyped-call]
    """A picture in, one row of logits out: how well each of the fixed texts fits it.

    CLIP's logits go through a softmax. SigLIP's are independent of one another: here they come as probabilities.
    """

    config_class = FixedTextsConfig
    main_input_name = "pixel_values"

    def __init__(self, config: FixedTextsConfig, model: PreTrainedModel, embeddings: Tensor) -> None:
        super().__init__(config, model)
        self.register_buffer("text_embeddings", embeddings)

    @classmethod
    def of(cls, model: PreTrainedModel, folder: Path, texts: Sequence[str]) -> FixedTexts:
        """Encode the texts with the checkpoint's own tokenizer.

        Raises:
            ExportError: the folder has no tokenizer that can be read, or a text is longer than the model reads.
        """
        tokens = tokens_of(model, folder, texts)
        halves: Any = model
        with torch.inference_mode():
            embeddings = _of_length_one(halves.get_text_features(**tokens))
        config = FixedTextsConfig.of(model, **label_settings(texts))
        return cls(cast("FixedTextsConfig", config), model, embeddings.clone())

    def forward(self, pixel_values: Tensor, return_dict: bool | None = None) -> ImageClassifierOutput | tuple[Tensor]:
        """Float32 (N, texts): CLIP's logits, or SigLIP's probabilities."""
        features = _of_length_one(self.model.get_image_features(pixel_values))
        # Torch types buffers as tensor or module.
        texts = cast("Tensor", self.text_embeddings)
        scores = features @ texts.t() * self.model.logit_scale.exp()
        if is_sigmoid(self.model):
            scores = torch.sigmoid(scores + self.model.logit_bias)
        if return_dict is False:
            return (scores,)
        return ImageClassifierOutput(logits=cast("torch.FloatTensor", scores))


def is_sigmoid(model: PreTrainedModel) -> bool:
    """Whether each text is a question of its own, as for SigLIP."""
    return bool(model.config.model_type == "siglip")


def tokens_of(model: PreTrainedModel, folder: Path, texts: Sequence[str]) -> dict[str, Tensor]:
    """The texts in their prompts as the model reads them, filled up to the longest that it reads, int64 (T, length).

    Raises:
        ExportError: the folder has no tokenizer that can be read, or a text is longer than the model reads.
    """
    tokenizer = _read_tokenizer(folder)
    length = model.config.text_config.max_position_embeddings
    prompts = [PROMPT.format(text) for text in texts]
    for text, ids in zip(texts, tokenizer(prompts)["input_ids"], strict=True):
        if len(ids) > length:
            raise ExportError(
                f"--labels: {text!r} has {len(ids)} tokens with its prompt, and the model reads {length}; "
                "say it in fewer words"
            )
    tokens = tokenizer(prompts, padding="max_length", max_length=length, return_tensors="pt")
    accepted = ("input_ids",) if is_sigmoid(model) else ("input_ids", "attention_mask")
    return {name: tokens[name] for name in accepted}


def write_texts(model: PreTrainedModel, folder: Path, package: Path) -> TextSpec:
    """Put the tokenizer into a package, see that it reads texts as the checkpoint's does, and say how it is used.

    Raises:
        ExportError: the checkpoint's tokenizer cannot be read, or is of a kind that needs transformers to run.
    """
    tokenizer = _read_tokenizer(folder)
    if (folder / TOKENIZER_NAME).is_file():
        shutil.copyfile(folder / TOKENIZER_NAME, package / TOKENIZER_NAME)
    elif tokenizer.is_fast:
        tokenizer.backend_tokenizer.save(str(package / TOKENIZER_NAME))
    else:
        raise ExportError(
            f"{folder}: the tokenizer is one that only transformers runs; copy {TOKENIZER_NAME} there, or fix the "
            "texts with --labels"
        )
    light = Tokenizer.from_file(str(package / TOKENIZER_NAME))
    light.no_padding()
    light.no_truncation()
    prompts = [PROMPT.format(text) for text in (*PROBES, "Árboles, ¡y 3 niños!")]
    if [encoding.ids for encoding in light.encode_batch(prompts)] != tokenizer(prompts)["input_ids"]:
        raise ExportError(
            f"{folder}: {TOKENIZER_NAME} reads texts otherwise than the checkpoint's tokenizer; fix the texts with "
            "--labels"
        )
    halves: Any = model
    return TextSpec(
        length=model.config.text_config.max_position_embeddings,
        pad_id=tokenizer.pad_token_id,
        prompt=PROMPT,
        logit_scale=halves.logit_scale.exp().item(),
        logit_bias=halves.logit_bias.item() if is_sigmoid(model) else 0.0,
    )


def _read_tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # every tokenizer class raises its own
        if (folder / TOKENIZER_NAME).is_file():
            # The class that the checkpoint names may want a library that is not here; the file needs none.
            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        raise ExportError(
            f"{folder}: no tokenizer to read texts with; copy {TOKENIZER_NAME} from where the weights are from"
        ) from error


def _of_length_one(embeddings: Tensor) -> Tensor:
    return torch.div(embeddings, embeddings.norm(p=2, dim=-1, keepdim=True))
