"""The models that are here and the zoo, as tables for people; both say which of them which command takes."""

from __future__ import annotations

from rich import box
from rich.table import Table

from models.errors import ModelError
from models.manifest import Manifest
from models.package import Package, bundled_names, find_package
from models.tasks import task_kinds
from models.zoo import exported_names, zoo

_POINTED_AT = ("prompted_segmentation", "mask-generation")
"""The manifest's word and the hub's."""


def package_table() -> Table:
    """A row a package that is here, bundled ones first."""
    table = Table("model", "from", "task", "top-1", "size", "precision", "parity", "licence", box=box.SIMPLE)
    for origin, names in (("bundled", bundled_names()), ("exported", exported_names())):
        for name in names:
            try:
                package = find_package(name, unverified=True)
            except ModelError:
                table.add_row(name, origin, "[red]damaged: a run with it says how[/red]")
                continue
            manifest = package.manifest
            top1 = (manifest.accuracy or {}).get("top1")
            table.add_row(
                name,
                origin,
                _said(manifest.task, manifest.decoder),
                "" if top1 is None else f"{top1:.3f}",
                f"{_bytes(package) / 1e6:.1f} MB",
                manifest.precision,
                _parity(manifest),
                manifest.source.licence or "",
            )
    return table


def _bytes(package: Package) -> int:
    """The size of all the files that the model runs with."""
    further = [package.model_path.with_name(name) for name in package.manifest.further_files]
    return sum(path.stat().st_size for path in [package.model_path, *further] if path.is_file())


def zoo_table() -> Table:
    """A row an entry of the zoo."""
    table = Table("zoo", "task", "parameters", "input", "licence", box=box.SIMPLE)
    for name, entry in zoo().items():
        table.add_row(name, _said(entry.task), f"{entry.parameters / 1e6:.1f} M", entry.input, entry.licence)
    return table


def _said(task: str, decoder: str | None = None) -> str:
    """A task in a manifest's or the hub's words, marked where `mirilla run` does not take such a model."""
    if task in _POINTED_AT:
        return f"{task} (mirilla segment)"
    decoders = next((kind.decoders for kind in task_kinds() if kind.name == task.replace("-", "_")), frozenset())
    runs = bool(decoders) if decoder is None else decoder in decoders
    return task if runs else f"{task} (export only)"


def _parity(manifest: Manifest) -> str:
    """The worst of what was measured, in a few signs."""
    parity = manifest.parity
    if parity is None:
        return "not measured"
    if not parity.passed:
        return "failed"
    return f"{max((parity.relative_difference or parity.max_abs_difference).values()):.0e}"
