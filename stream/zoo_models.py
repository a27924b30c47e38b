"""Models of the zoo that a command names: which are not here yet, and how a machine that cannot export gets them.

Called by the command before the first frame.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from models.errors import ModelError
from models.hub import fetch_onnx
from models.package import bundled_names
from models.zoo import exported_names, packages_folder, zoo
from stream.config import Settings
from stream.errors import ConfigError


def packages_of(settings: Settings) -> list[str]:
    """What the models of all streams are called, the detectors before them too."""
    chosen = [model for stream in settings.streams.values() for model in stream.models]
    detectors = [model.detector.package for model in chosen if model.detector is not None]
    return [*(model.package for model in chosen), *detectors]


def missing_from_zoo(packages: Iterable[str]) -> list[str]:
    """The zoo names among what models are called that no package, folder or file has yet, each once."""
    here = {*bundled_names(), *exported_names()}
    return [name for name in dict.fromkeys(packages) if name in zoo() and name not in here and not Path(name).exists()]


def fetch_ready(name: str, obstacle: ConfigError) -> str:
    """Fetch the ready ONNX repository of a zoo entry, and say from where.

    Args:
        name: of the zoo.
        obstacle: why it cannot be exported here.

    Raises:
        ModelError: the zoo names no such repository, or the hub does not give it.
    """
    repository = zoo()[name].onnx
    if repository is None:
        raise ModelError(f"model: {name!r}: the zoo names no ready ONNX model for it, and {obstacle}")
    fetched = fetch_onnx(repository)
    folder = packages_folder() / name
    partial = folder.with_name(f".{name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        # The cache's files are links into its store; a package holds the files themselves.
        shutil.copytree(fetched.folder, partial)
        partial.replace(folder)
    except OSError as error:
        raise ModelError(f"model: {name!r}: {folder} cannot be written: {error.strerror or error}") from error
    return f"fetched ready from the hub, not compared with PyTorch here: {fetched.remark}"
