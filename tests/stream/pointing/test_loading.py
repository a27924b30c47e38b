"""A model that is pointed at is loaded from a stream's settings, of which those that mean nothing to it are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.manifest import file_sha256
from models.prompted_model import PromptedModel
from stream.config import ModelSettings
from stream.errors import ConfigError
from stream.model_shelf import ModelShelf
from tests.segmenting.stand_in import write_stand_in


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_stand_in(tmp_path_factory.mktemp("packages") / "discs"))


def test_it_is_loaded_with_what_concerns_it(discs: str) -> None:
    settings = ModelSettings(package=discs, name="mine", threads=1, graph_optimization="basic")
    model = ModelShelf().take(settings)
    assert isinstance(model, PromptedModel)
    assert model.name == "mine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threshold", 0.0),
        ("classes", ("person",)),
        ("texts", ("a cat",)),
        ("top", 3),
        ("max_detections", 4),
        ("every", 2),
        ("skip_unchanged", True),
        ("track", True),
    ],
)
def test_what_would_do_nothing_is_refused(discs: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"models: discs: {key}: it finds what is pointed at; leave '{key}' out"):
        ModelShelf().take(ModelSettings.model_validate({"package": discs, key: value}))


def test_a_package_is_read_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of SAM ViT-B, a checksum is of 360 MB.
    read: list[Path] = []

    def checksum(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr("models.package.file_sha256", checksum)
    ModelShelf().take(ModelSettings(package="quickdraw-32"))
    assert len(read) == 1
