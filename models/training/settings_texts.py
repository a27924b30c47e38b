"""Training settings as words of a command line: `--set KEY=VALUE` becomes a settings class, and back again."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from models.training.errors import TrainingError

_OF_THE_MACHINE = ("kind", "data", "output", "resume", "threads", "loaders", "device", "report_every", "watched")
"""Settings that the weights do not depend on, or that the command names in another way."""


class Settings(Protocol):
    """A dataclass with `data` and `output`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def data(self) -> Path:
        """What is trained on."""

    @property
    def output(self) -> Path:
        """Where the checkpoint goes."""


_Settings = TypeVar("_Settings", bound=Settings)


def settings_from_texts(kind: type[_Settings], texts: Sequence[str], settings: Mapping[str, Any]) -> _Settings:
    """The settings that words of a command line amount to.

    Args:
        kind: the settings class.
        texts: `KEY=VALUE` each, a tuple's values with commas between them; they win over `settings`.
        settings: fields by name.

    Raises:
        TrainingError: a text has another form, or names no setting, or its value makes no sense.
    """
    defaults = {setting.name: setting.default for setting in fields(kind)}
    given = dict(settings)
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or key not in defaults:
            close = difflib.get_close_matches(key, defaults, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(defaults)}"
            raise TrainingError(f"--set {text!r}: expected KEY=VALUE with a known key; {hint}")
        given[key] = value.split(",") if isinstance(defaults[key], tuple) else value
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"--set {first['loc'][0]}={first['input']}: {first['msg']}") from error


def command_of(settings: Settings, name: str, options: Sequence[str]) -> str:
    """The command line that makes the weights again, less what the machine alone decides.

    Args:
        settings: of the training.
        name: what `mirilla train` calls it.
        options: settings with an option of their own; the others are given by `--set`.
    """
    words = ["mirilla", "train", name, "--data", told(settings.data), "--output", settings.output.name]
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        if setting.name in _OF_THE_MACHINE or value == setting.default:
            continue
        if setting.name in options:
            words += [f"--{setting.name.replace('_', '-')}", told(value)]
        else:
            words += [
                "--set",
                f"{setting.name}={','.join(map(str, value)) if isinstance(value, tuple) else told(value)}",
            ]
    return shlex.join(words)


def told(value: Any) -> str:
    """A value as a command line may show it: where a folder lies on this machine is nobody else's business."""
    return "/".join(value.resolve().parts[-2:]) if isinstance(value, Path) else str(value)
