"""How detectors' outputs become boxes and masks: one module a family of heads, found by itself."""

from __future__ import annotations

import sys

from models.decoders.decoder import Candidates, Decoder, DecoderKind
from models.decoders.mask_decoder import MaskDecoder, MaskDecoderKind, Segments
from models.discovery import modules_with

__all__ = [
    "Candidates",
    "Decoder",
    "DecoderKind",
    "MaskDecoder",
    "MaskDecoderKind",
    "Segments",
    "decoder_kinds",
    "mask_decoder_kinds",
]


def decoder_kinds() -> dict[str, DecoderKind]:
    """Every decoder of boxes by the name that manifests give it."""
    return {module.DECODER.name: module.DECODER for module in modules_with(sys.modules[__name__], "DECODER")}


def mask_decoder_kinds() -> dict[str, MaskDecoderKind]:
    """Every decoder of query masks by the name that manifests give it."""
    modules = modules_with(sys.modules[__name__], "MASK_DECODER")
    return {module.MASK_DECODER.name: module.MASK_DECODER for module in modules}
