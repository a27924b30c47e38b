"""Which models a person may change between while a stream runs: keys n and p (thread of `stream.live_changes`)."""

from __future__ import annotations

from collections.abc import Sequence

from models import MirillaError
from models.package import bundled_names, find_package
from models.zoo import exported_names
from stream.config import ModelSettings
from stream.errors import ConfigError


def packages_to_choose(models: Sequence[ModelSettings]) -> list[str]:
    """The packages that may take the place of a stream's first model, itself among them.

    Args:
        models: of the stream.

    Raises:
        MirillaError: the stream has no model, or there is no other to change to.
    """
    if not models:
        raise ConfigError("models: this stream runs without one, so there is none to change")
    first = models[0]
    others = first.alternatives or _of_same_task(first)
    packages = list(dict.fromkeys(others if first.package in others else (first.package, *others)))
    if len(packages) < 2:
        raise ConfigError("models: no other of this kind is here; name some as 'alternatives' of the model")
    return packages


def _of_same_task(settings: ModelSettings) -> list[str]:
    """The packages that `mirilla models` lists as here, and that are asked the same."""
    task = find_package(settings.package, unverified=True).manifest.task
    return [name for name in (*bundled_names(), *exported_names()) if _task_of(name) == task]


def _task_of(name: str) -> str | None:
    """The task of a package that is here; None where its papers are not in order."""
    try:
        # Checksums are looked at when it is loaded.
        return find_package(name, unverified=True).manifest.task
    except MirillaError:
        return None
