"""`mirilla evaluate` for people and programs: a progress bar, tables, a JSON file, and pictures (main thread)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.evaluation.charts import load_library
from models.evaluation.evaluate import evaluate
from models.evaluation.evaluation import Evaluation, EvaluationOptions, OnProgress
from stream.errors import ConfigError

_CLASSES_SHOWN = 20
_NOTHING = "\N{EN DASH}"
_CAPTIONS = {
    "map": "mAP 50-95",
    "ap50": "AP50",
    "ap75": "AP75",
    "map_small": "mAP, small objects",
    "map_medium": "mAP, medium objects",
    "map_large": "mAP, large objects",
    "top1": "top-1",
    "top5": "top-5",
    "mean_class_top1": "top-1, mean of the classes",
    "miou": "mIoU",
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "pixel accuracy, mean of the classes",
    "ap": "AP 50-95",
    "iou": "IoU",
}


def run_evaluation(
    model: str,
    data: Path,
    options: EvaluationOptions,
    out: Console,
    err: Console,
    *,
    json_file: Path | None,
    output: Path | None,
    quiet: bool,
) -> Evaluation:
    """Measure a model and show, write and draw what comes out.

    Args:
        model: a bundled name, a package folder or an `.onnx` file.
        data: the annotations.
        options: how to measure.
        out: where the tables go.
        err: where the progress goes.
        json_file: gets all figures; None writes none.
        output: the folder that gets the pictures; None draws none.
        quiet: no progress and no tables.

    Raises:
        MirillaError: the model or the data is not as it should be, or a file cannot be written.
    """
    # Before the work, not after it.
    for folder in (output, None if json_file is None else json_file.parent):
        if folder is not None:
            _make_folder(folder)
    if output is not None:
        load_library()
    with _progress(err, model, quiet=quiet) as on_progress:
        evaluation = evaluate(model, data, options, on_progress)
    made = []
    if json_file is not None:
        _write(json_file, json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False) + "\n")
        made.append(json_file)
    if output is not None:
        for name, draw in evaluation.charts.items():
            draw(output / name)
            made.append(output / name)
    if not quiet:
        counted = f"{evaluation.pictures} {'picture' if evaluation.pictures == 1 else 'pictures'}"
        # Not as the table's title, which would be broken at the table's width.
        out.print(f"{evaluation.model} on {evaluation.data}, {counted}", highlight=False, style="bold", soft_wrap=True)
        out.print(figures_table(evaluation))
        out.print(classes_table(evaluation))
        for note in evaluation.notes:
            out.print(note, highlight=False, soft_wrap=True)
        for path in made:
            out.print(f"made {path}", highlight=False, soft_wrap=True)
    return evaluation


def figures_table(evaluation: Evaluation) -> Table:
    """The figures over all classes."""
    table = Table(show_header=False)
    for name, value in evaluation.figures.items():
        table.add_row(_figure_caption(name, evaluation), _shown(value))
    for name in ("right", "wrong", "missed"):
        if name in evaluation.settings:
            table.add_row(f"{name} {_at(evaluation)}", str(evaluation.settings[name]))
    return table


def classes_table(evaluation: Evaluation) -> Table:
    """The classes of which the data has something, those with the most of it first; the others are in the JSON."""
    rows = evaluation.classes
    keys = list(rows[0]) if rows else ["class"]
    weight = keys[1] if len(keys) > 1 else "class"
    there = sorted((row for row in rows if row[weight]), key=lambda row: -row[weight])
    more = len(there) - _CLASSES_SHOWN
    caption = f"{more} more classes are in --json" if more > 0 else None
    table = Table(caption=caption, caption_justify="left")
    for key in keys:
        table.add_column(_caption(key), justify="left" if key in ("class", "taken for") else "right")
    for row in there[:_CLASSES_SHOWN]:
        table.add_row(*(_shown(row[key]) for key in keys))
    return table


def _figure_caption(name: str, evaluation: Evaluation) -> str:
    caption = _caption(name)
    return f"{caption} {_at(evaluation)}" if name in ("precision", "recall") else caption


def _at(evaluation: Evaluation) -> str:
    return f"at score {evaluation.settings['score']:g}, IoU {evaluation.settings['iou']:g}"


def _caption(name: str) -> str:
    if name.startswith("mask_"):
        return f"{_caption(name.removeprefix('mask_'))}, masks"
    return _CAPTIONS.get(name, name)


def _shown(value: object) -> str:
    if value is None:
        return _NOTHING
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def _progress(err: Console, model: str, *, quiet: bool) -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task(model, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"output: {folder} cannot be made ({error.strerror}); choose another place") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"json: {path} cannot be written ({error.strerror}); choose another place") from error
