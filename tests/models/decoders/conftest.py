"""Manifests of detectors whose outputs the tests write by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.manifest import Manifest

NAMES = ("person", "bicycle", "león")


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """The manifest of a detector with an input of 64x64; keyword arguments replace fields."""

    def make(decoder: str, **fields: Any) -> Manifest:
        content: dict[str, Any] = {
            "name": "hand-written",
            "task": "object_detection",
            "decoder": decoder,
            "input": {"height": 64, "width": 64, "resize": "stretch", "antialias": False},
            "outputs": ("output0",),
            "class_names": NAMES,
            "source": {"id": "tests"},
            "opset": 18,
        }
        return Manifest.model_validate(content | fields)

    return make
