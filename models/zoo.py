"""The zoo: short names for models of other makers, and the folder where packages lie that were made from them.

Read by `mirilla export`, `mirilla models` and whoever looks a package up by its name.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_ZOO_FILE = Path(__file__).with_name("zoo.yaml")


class ZooEntry(BaseModel):
    """A model of another maker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hub: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: str = "main"
    """A commit, or a branch where no commit is known."""
    onnx: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """A repository with a ready ONNX export of it."""
    task: str
    """In the hub's words."""
    licence: str
    parameters: Annotated[int, Field(ge=1)]
    input: str
    """For people: the size that it takes."""


@cache
def zoo() -> dict[str, ZooEntry]:
    """Every entry by its short name."""
    content = yaml.safe_load(_ZOO_FILE.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, ZooEntry]).validate_python(content)


def packages_folder() -> Path:
    """Where exported packages lie by name: `$MIRILLA_HOME/packages`, or in the user's cache."""
    home = os.environ.get("MIRILLA_HOME")
    if home:
        return Path(home).expanduser() / "packages"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mirilla" / "packages"


def exported_names() -> list[str]:
    """The names of the packages that lie there: with a manifest, a configuration, or an `.onnx` of the same name."""
    folders = (path for path in packages_folder().glob("*") if path.is_dir() and not path.name.startswith("."))
    return sorted(
        folder.name
        for folder in folders
        if any((folder / paper).is_file() for paper in ("manifest.json", "config.json", f"{folder.name}.onnx"))
    )
