"""How detectors' outputs become boxes: one module a family of heads, found by itself."""

from __future__ import annotations

import sys

from models.decoders.decoder import Candidates, Decoder, DecoderKind
from models.discovery import modules_with

__all__ = ["Candidates", "Decoder", "DecoderKind", "decoder_kinds"]


def decoder_kinds() -> dict[str, DecoderKind]:
    """Every decoder by the name that manifests give it."""
    return {module.DECODER.name: module.DECODER for module in modules_with(sys.modules[__name__], "DECODER")}
