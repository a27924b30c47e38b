"""`mirilla compare` for people: progress, the table, and what was made (main thread)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from stream.comparison.compare import ComparisonOptions, OnProgress, compare_models
from stream.comparison.tables import terminal_table

_ROWS_SHOWN = 24


def run_comparison(
    specs: Sequence[str],
    sources: Sequence[str],
    options: ComparisonOptions,
    out: Console,
    err: Console,
    *,
    quiet: bool,
) -> None:
    """Compare models and show what comes out.

    Args:
        specs: the models.
        sources: what they are shown.
        options: how to compare.
        out: where the table goes.
        err: where the progress goes.
        quiet: no progress and no table.

    Raises:
        MirillaError: something is not as it should be; see `compare_models`.
    """
    with _progress(err, quiet=quiet) as on_progress:
        comparison = compare_models(specs, sources, options, on_progress)
    if quiet:
        return
    rows = comparison.rows
    if len(rows) > _ROWS_SHOWN:
        # Those of single pictures have no rate.
        rows = [row for row in rows if row.fps is not None]
        out.print(f"the sums; all {len(comparison.rows)} rows are in the files", highlight=False)
    out.print(terminal_table(rows))
    for note in comparison.notes:
        out.print(note, highlight=False, soft_wrap=True)
    for path in comparison.paths:
        out.print(f"made {path}", highlight=False, soft_wrap=True)


@contextmanager
def _progress(err: Console, *, quiet: bool) -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield show
