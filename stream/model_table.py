"""The models that come with Mirilla, as a table for people."""

from __future__ import annotations

from rich.table import Table

from models.package import bundled_names, find_package


def bundled_table() -> Table:
    """A row a package: name, task, classes, measured accuracy, size on disk, licence."""
    table = Table("model", "task", "classes", "top-1", "top-5", "size", "precision", "licence")
    for name in bundled_names():
        package = find_package(name)
        manifest = package.manifest
        accuracy = manifest.accuracy or {}
        table.add_row(
            name,
            manifest.task,
            str(len(manifest.class_names)),
            *(f"{accuracy[key]:.3f}" if key in accuracy else "" for key in ("top1", "top5")),
            f"{package.model_path.stat().st_size / 1e6:.1f} MB",
            manifest.precision,
            manifest.source.licence or "",
        )
    return table
