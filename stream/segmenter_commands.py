"""The commands that train segmentation networks: `train person-segmenter`, `drawing-segmenter` and `unet`.

Like `stream.model_commands` they reach `exporters` and `models.training` only when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stream.terminal import Debug, Quiet, err, export_extra, log_to_terminal, out, tell

Output = Annotated[Path, typer.Option(help="The folder of the finished package.")]
Backgrounds = Annotated[
    Path | None, typer.Option(help="Pictures in images/, with COCO boxes, to put before; for the bundled network.")
]
Architecture = Annotated[
    Literal["unet", "segformer"] | None, typer.Option(help="The course's network, or a tiny SegFormer.")
]
Start = Annotated[
    Path | None, typer.Option(help="A checkpoint folder, as the hub has them, to start from.", show_default=False)
]
Steps = Annotated[int | None, typer.Option(help="Batches to learn from.", min=1)]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Threads = Annotated[int, typer.Option(help="Threads of PyTorch.")]
TrainDevice = Annotated[str, typer.Option("--device", help="Where PyTorch trains: cpu, cuda.")]
State = Annotated[Path | None, typer.Option("--checkpoint", help="Where the training keeps its state; runs/NAME.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last report.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a package that exists.")]
Setting = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, any other training setting.")]


def train_person_segmenter(
    data: Annotated[Path, typer.Option(help="portraits/ and hands/, or your own images/ and masks/.")],
    output: Output,
    backgrounds: Backgrounds = None,
    architecture: Architecture = None,
    start: Start = None,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = 1,
    device: TrainDevice = "cpu",
    checkpoint: State = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    setting: Setting = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network that tells people from what is behind them, and export it as a package."""
    _train(
        {"kind": "person-segmenter", "data": data, "output": output, "backgrounds": backgrounds, "start": start,
         "architecture": architecture, "steps": steps, "seed": seed, "threads": threads, "device": device,
         "resume": resume},
        checkpoint, setting, overwrite=overwrite, quiet=quiet, debug=debug,
    )  # fmt: skip


def train_drawing_segmenter(
    data: Annotated[Path, typer.Option(help="Quick, Draw! files, or your own images/ and masks/.")],
    output: Output,
    backgrounds: Backgrounds = None,
    architecture: Architecture = None,
    start: Start = None,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = 1,
    device: TrainDevice = "cpu",
    checkpoint: State = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    setting: Setting = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network that tells the ink of drawings from what they are drawn on, and export it as a package."""
    _train(
        {"kind": "drawing-segmenter", "data": data, "output": output, "backgrounds": backgrounds, "start": start,
         "architecture": architecture, "steps": steps, "seed": seed, "threads": threads, "device": device,
         "resume": resume},
        checkpoint, setting, overwrite=overwrite, quiet=quiet, debug=debug,
    )  # fmt: skip


def train_unet(
    data: Annotated[Path, typer.Option(help="Pictures and masks: images/ and masks/, PH2, HAM10000, MADS.")],
    output: Output,
    architecture: Architecture = None,
    start: Start = None,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = 1,
    device: TrainDevice = "cpu",
    checkpoint: State = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    setting: Setting = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a U-Net on your own pictures and masks, and export it as a package."""
    _train(
        {"kind": "unet", "data": data, "output": output, "start": start, "architecture": architecture, "steps": steps,
         "seed": seed, "threads": threads, "device": device, "resume": resume},
        checkpoint, setting, overwrite=overwrite, quiet=quiet, debug=debug,
    )  # fmt: skip


def _train(
    given: dict[str, Any],
    checkpoint: Path | None,
    texts: list[str] | None,
    *,
    overwrite: bool,
    quiet: bool,
    debug: bool,
) -> None:
    with export_extra():
        from exporters.export import ExportOptions as Options
        from exporters.export import check_output, export_package
        from models.training.segmenter_data import is_own_data, pairs_of, write_held_out
        from models.training.segmenter_package import measure_package, write_record
        from models.training.segmenter_settings import settings_of
        from models.training.train_segmenter import train_segmenter

    log_to_terminal(debug)
    package: Path = given["output"]
    given["output"] = checkpoint or Path("runs") / package.name
    settings = settings_of(given, texts or ())
    check_output(package, overwrite=overwrite)
    with _progress("training", quiet=quiet) as (on_step, tell_line):
        training, validation = (pairs_of(settings, part) for part in ("training", "validation"))
        trained = train_segmenter(
            settings, training, validation, lambda done: on_step(done, settings.steps), lambda r: tell_line(str(r))
        )
    write_record(trained, settings, is_own_data=is_own_data(training))
    held_out = settings.output / "held_out"
    write_held_out(settings, held_out)
    export_package(settings.output, package, Options(overwrite=overwrite))
    with _progress("measuring", quiet=quiet) as (on_picture, _):
        reached = measure_package(package, held_out, settings, trained, on_picture)
    ious = ", ".join(f"{row['class']} {row['iou']:.4f}" for row in reached.classes if row["iou"] is not None)
    tell(out, f"{package}: IoU {ious} on {reached.pictures} pictures in {held_out}")


@contextmanager
def _progress(title: str, *, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """A bar where there is a terminal; and what prints a line above it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield (
            lambda done, total: progress.update(task, completed=done, total=total),
            (lambda _: None) if quiet else lambda line: tell(err, line),
        )
