"""Finds the kinds of source, sink, task and overlay: each is a module of its package; adding one is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType


def modules_with(package: ModuleType, attribute: str) -> Sequence[ModuleType]:
    """The modules directly in a package that define an attribute, sorted by name.

    Args:
        package: an imported package.
        attribute: a module-level name that marks a kind: `TASK`.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    modules = [importlib.import_module(name) for name in names]
    return [module for module in modules if hasattr(module, attribute)]
