"""What models can be asked: one module a task, found by itself."""

from __future__ import annotations

import sys

from models.discovery import modules_with
from models.errors import ModelError
from models.manifest import Manifest
from models.tasks.task import Task, TaskKind

# What packages are exported for and no run asks: why, for whoever tries.
_ASKED_ELSEWHERE = {
    "prompted_segmentation": (
        "answers points and boxes that somebody sets in a picture with masks, and a run sets none; take mirilla segment"
    )
}

__all__ = ["Task", "TaskKind", "find_task", "task_kinds"]


def task_kinds() -> list[TaskKind]:
    """Every task, in the order of their module names."""
    return [module.TASK for module in modules_with(sys.modules[__name__], "TASK")]


def find_task(manifest: Manifest) -> TaskKind:
    """The kind of task that a manifest names.

    Raises:
        ModelError: this version has no such task or decoder.
    """
    kinds = {kind.name: kind for kind in task_kinds()}
    kind = kinds.get(manifest.task)
    if kind is None and manifest.task in _ASKED_ELSEWHERE:
        raise ModelError(f"{manifest.name}: task: {manifest.task!r} {_ASKED_ELSEWHERE[manifest.task]}")
    if kind is None:
        raise ModelError(f"{manifest.name}: task: {manifest.task!r} is not one of {', '.join(kinds)}; update Mirilla")
    if manifest.decoder not in kind.decoders:
        known = ", ".join(sorted(kind.decoders))
        raise ModelError(
            f"{manifest.name}: decoder: {manifest.decoder!r} is none that {kind.name} has ({known}); update Mirilla"
        )
    return kind
