"""Training settings to and from words of a command line; they are what a manifest names as the way to the weights."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from models.training.errors import TrainingError


class Settings(Protocol):
    """A dataclass of settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Settings)


def settings_from_texts(kind: type[S], texts: Sequence[str], settings: dict[str, Any]) -> S:
    """The settings that words of a command line amount to.

    Args:
        kind: a dataclass.
        texts: `KEY=VALUE` each, a tuple's values with commas between them; they win over `settings`.
        settings: fields by name.

    Raises:
        TrainingError: a text has another form, or names no setting, or its value makes no sense.
    """
    defaults = {setting.name: setting.default for setting in fields(kind)}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or key not in defaults:
            close = difflib.get_close_matches(key, defaults, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(defaults)}"
            raise TrainingError(f"--set {text!r}: expected KEY=VALUE with a known key; {hint}")
        settings[key] = value.split(",") if isinstance(defaults[key], tuple) else value
    try:
        return TypeAdapter(kind).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"--set {first['loc'][0]}={first['input']}: {first['msg']}") from error


def command_of(settings: Settings, words: Sequence[str], options: Collection[str], unsaid: Collection[str]) -> str:
    """The command line that makes the same weights again.

    Args:
        settings: a dataclass.
        words: how it begins.
        options: fields with an option of their own; the others are given by `--set`.
        unsaid: fields that are in `words`, or that the machine alone decides.
    """
    said = list(words)
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        if setting.name in unsaid or value == setting.default:
            continue
        if setting.name in options:
            said += [f"--{setting.name}", told(value)]
        else:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else told(value)
            said += ["--set", f"{setting.name}={text}"]
    return shlex.join(said)


def told(value: Any) -> str:
    """A value as others may read it: where a folder lies on this machine is nobody else's business."""
    return "/".join(value.resolve().parts[-2:]) if isinstance(value, Path) else str(value)


def check_settings(settings: Settings, expectations: dict[str, bool]) -> None:
    """Raise TrainingError with the first expectation, `FIELD: expected ...`, that does not hold."""
    for expectation, holds in expectations.items():
        if not holds:
            raise TrainingError(f"{expectation}, got {getattr(settings, expectation.split(':')[0])!r}")
