"""The rows of a comparison as Markdown, CSV and JSON, and as a table for the terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from stream.comparison.rows import ComparisonRow

_NOTHING = "\N{EN DASH}"


def _shown(row: ComparisonRow, name: str) -> str:
    value = getattr(row, name)
    if value is None:
        return _NOTHING
    return f"{value:{_FORMATS.get(name, '')}}"


_FORMATS = {"inference_p50_ms": ".1f", "inference_p95_ms": ".1f", "fps": ".1f", "size_mb": ".1f", "agreement": ".0%"}
_COLUMNS: Mapping[str, str] = {
    "item": "image or clip",
    "model": "model",
    "frames": "frames",
    "objects": "objects",
    "labels": "mostly",
    "inference_p50_ms": "inference p50 ms",
    "inference_p95_ms": "p95 ms",
    "fps": "FPS",
    "size_mb": "MB",
    "false_positives": "false positives",
    "false_negatives": "false negatives",
    "agreement": "agreement",
}
_TEXTS = ("item", "model", "labels")


def _columns(rows: Sequence[ComparisonRow]) -> list[str]:
    """The columns in which there is something."""
    return [name for name in _COLUMNS if any(getattr(row, name) not in (None, "") for row in rows)]


def terminal_table(rows: Sequence[ComparisonRow]) -> Table:
    """The rows for people, narrow enough for a terminal; the files have more columns."""
    table = Table()
    for caption in ("image or clip", "model"):
        table.add_column(caption, overflow="fold")
    annotated = any(row.false_positives is not None for row in rows)
    last = "false +/-" if annotated else "agreement"
    for caption in ("found", "inference ms\np50 / p95", "FPS", "MB", last):
        table.add_column(caption, justify="right", no_wrap=True)
    for row in rows:
        shown = {name: _shown(row, name) for name in _COLUMNS}
        inference = f"{shown['inference_p50_ms']} / {shown['inference_p95_ms']}"
        right = f"{shown['false_positives']} / {shown['false_negatives']}" if annotated else shown["agreement"]
        table.add_row(row.item, row.model, shown["objects"], inference, shown["fps"], shown["size_mb"], right)
    return table


def as_markdown(rows: Sequence[ComparisonRow], settings: Mapping[str, Any]) -> str:
    """The rows as a table of GitHub's Markdown."""
    names = _columns(rows)
    lines = [
        [_COLUMNS[name] for name in names],
        ["---" if name in _TEXTS else "---:" for name in names],
        *([_shown(row, name).replace("|", "\\|") for name in names] for row in rows),
    ]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    said = "; ".join(f"{key} {value}" for key, value in settings.items())
    return f"# Comparison\n\n{table}\n\nFPS: from reading to the annotated picture, encoding left out. {said}.\n"


def as_csv(rows: Sequence[ComparisonRow], _settings: Mapping[str, Any]) -> str:
    """The rows with all columns under their own names; empty where there is nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.to_dict() for row in rows)
    return text.getvalue()


def as_json(rows: Sequence[ComparisonRow], settings: Mapping[str, Any]) -> str:
    """`{"settings": {...}, "rows": [...]}`."""
    content = {"settings": dict(settings), "rows": [row.to_dict() for row in rows]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


WRITERS: Mapping[str, Callable[[Sequence[ComparisonRow], Mapping[str, Any]], str]] = {
    "comparison.md": as_markdown,
    "comparison.csv": as_csv,
    "comparison.json": as_json,
}
