"""Reads the texts that a user gives a zero-shot classifier: once, before the first frame; frames cost nothing more.

Called by `models.model` where a package has a text encoder beside its graph. At run time the only file that imports
tokenizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.errors import ModelError
from models.manifest import TEXT_ENCODER_NAME, TOKENIZER_NAME, TextSpec
from models.onnx_session import Device, OnnxSession

_AT_ONCE = 32


def check_texts(texts: Sequence[str], name: str) -> None:
    """Raise ModelError where texts are no list of different texts.

    Args:
        texts: as the user gave them.
        name: of the model.
    """
    if not texts:
        raise ModelError(f"{name}: texts: there are none; give what to tell apart, as 'a dog,a cat'")
    for number, text in enumerate(texts):
        if not text.strip():
            raise ModelError(f"{name}: texts: number {number + 1} is empty; write something, or leave it out")
        if text in texts[:number]:
            raise ModelError(f"{name}: texts: {text!r} stands there twice; leave one of them out")


def encode_texts(
    folder: Path, spec: TextSpec, texts: Sequence[str], name: str, device: Device = "auto"
) -> NDArray[np.float32]:
    """Where texts lie in the space of the model's pictures, float32 (T, D), each of length 1.

    Args:
        folder: of the package.
        spec: how its texts are read.
        texts: what the pictures are compared with; put into the spec's prompt.
        name: of the model, for messages.
        device: as for the model itself.

    Raises:
        ModelError: a file is missing or damaged, or a text is longer than the model reads.
    """
    tokens, mask = _tokens(folder / TOKENIZER_NAME, spec, texts, name)
    session = OnnxSession(folder / TEXT_ENCODER_NAME, device=device)
    wanted = {node.name for node in session.inputs}
    output = session.outputs[0].name
    parts = []
    for start in range(0, len(tokens), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        feeds = {"input_ids": tokens[rows], "attention_mask": mask[rows]}
        parts.append(session.run({key: value for key, value in feeds.items() if key in wanted})[output])
    return np.concatenate(parts).astype(np.float32, copy=False)


def _tokens(path: Path, spec: TextSpec, texts: Sequence[str], name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of tokens int64 (T, length), filled up with the pad's, and 1 where they are the text's own."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more special than this
        raise ModelError(f"{name}: {path}: no tokenizer that can be read ({error}); export the model again") from error
    # What the file says of both is for other uses.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encodings = tokenizer.encode_batch([spec.prompt.format(text) for text in texts])
    tokens = np.full((len(texts), spec.length), spec.pad_id, np.int64)
    mask = np.zeros_like(tokens)
    for row, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
        if len(encoding.ids) > spec.length:
            raise ModelError(
                f"{name}: texts: {_shortened(text)!r} has {len(encoding.ids)} tokens with its prompt, and the model "
                f"reads {spec.length}; say it in fewer words"
            )
        tokens[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    return tokens, mask


def _shortened(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
