"""The `mirilla` command: parse, call, print.

The one place that reaches `exporters` and `models.training`, and only when their command is called.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import typer
from rich.console import Console
from rich.logging import RichHandler

from models.errors import MirillaError
from models.onnx_session import Device
from stream.errors import ConfigError
from stream.options import RunOptions, settings_for
from stream.report import report_file
from stream.run_view import QuietView, TerminalView
from stream.stream_run import RunView, StreamOutcome, run_settings

app = typer.Typer(
    help="Watches video and draws what models see on it while the video plays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Make the bundled networks again, or train them on your own data.", no_args_is_help=True)
app.add_typer(train_app, name="train")

_out = Console()
_err = Console(stderr=True)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table.")]
Report = Annotated[Path | None, typer.Option(help="Write the figures of the run to this JSON file.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")]


@app.command()
def run(
    config: Annotated[
        Path | None, typer.Argument(help="A configuration file; config.yaml where no source is given.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="A video, GIF, image, folder, 'doodles' or 'pattern'.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A bundled name, a package folder, an .onnx file, or 'none'.")
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(help="out.mp4, .mkv, .gif, .jsonl, .csv, frames/, masks:folder/ or null; {name} is the source's."),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="The least score that is shown, 0 to 1.")] = None,
    classes: Annotated[str | None, typer.Option(help="Only these class names, with commas between them.")] = None,
    track: Annotated[bool, typer.Option("--track", help="Follow objects from frame to frame, and count them.")] = False,
    device: Annotated[Device | None, typer.Option(help="Where models run.")] = None,
    frames: Annotated[int | None, typer.Option(help="Stop after so many frames.")] = None,
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds of the source.")] = None,
    hud: Annotated[bool | None, typer.Option("--hud/--no-hud", help="Draw the run's figures on the picture.")] = None,
    isolate: Annotated[
        str | None, typer.Option(help="LABEL, LABEL:white, LABEL:blur or LABEL:grey: show only what has this label.")
    ] = None,
    highlight: Annotated[str | None, typer.Option(help="LABEL: dim all that has not this label.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take models whose checksum or parity check failed.")
    ] = False,
    report: Report = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run the streams of a configuration file, or of the options given."""
    _log_to_terminal(debug)
    on_models: dict[str, Any] = {
        "threshold": threshold,
        "track": track or None,
        "device": device,
        "unverified": unverified or None,
    }
    if classes is not None:
        on_models["classes"] = [label.strip() for label in classes.split(",")]
    options = RunOptions(
        sources=source or (),
        models=model or (),
        sinks=sink or (),
        model=_given(on_models),
        stream=_given({"frames": frames, "duration": duration}),
        hud=hud,
        overlay=_given({"isolate": isolate, "highlight": highlight}),
        overwrite=overwrite,
    )
    settings = settings_for(config, options)
    with report_file(report) as outcomes:
        outcomes.extend(run_settings(settings, _view(quiet)))
    _exit_as(outcomes, debug)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("out"),
    report: Report = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Watch drawings grow and be guessed: the bundled model over a built-in drawing session."""
    from stream.demo import run_demo

    _log_to_terminal(debug)
    report = report or output / "demo.json"
    outcome, sheet = run_demo(output, report, _view(quiet))
    if not quiet:
        _out.print(f"{sheet.named_right} of {len(sheet.guesses)} drawings named right; the figures are in {report}")
    _exit_as([outcome], debug)


@app.command(name="models")
def list_models() -> None:
    """List the models that come with Mirilla."""
    from stream.model_table import bundled_table

    _out.print(bundled_table())


@train_app.command(name="sketch")
def train_sketch_model(
    data: Annotated[Path, typer.Option(help="A folder of .npz, .npy or .ndjson drawings, one file a category.")],
    output: Annotated[Path, typer.Option(help="The folder of the finished package.")],
    architecture: Annotated[Literal["notes", "resnet"], typer.Option(help="The course's, or the stronger.")] = "resnet",
    epochs: Annotated[int, typer.Option(help="Passes over the drawings.")] = 30,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads of PyTorch.")] = 1,
    checkpoint: Annotated[Path | None, typer.Option(help="Where the training keeps its state; runs/NAME.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Fetch the public drawings into --data first.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that exists.")] = False,
    setting: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, any other training setting.")] = None,
    debug: Debug = False,
) -> None:
    """Train a sketch classifier on Quick, Draw! files and export it as a package that --model takes."""
    with _export_extra():
        from exporters.export import ExportOptions, export_package
        from models.training.quickdraw_download import download_quickdraw
        from models.training.sketch_settings import SketchTrainingSettings
        from models.training.train_sketch import train_sketch

    _log_to_terminal(debug)
    settings = SketchTrainingSettings.from_texts(
        setting or (),
        data=data,
        output=checkpoint or Path("runs") / output.name,
        architecture=architecture,
        epochs=epochs,
        seed=seed,
        threads=threads,
        resume=resume,
    )
    if download:
        download_quickdraw(data, on_file=lambda name, index, count: _err.print(f"{index + 1} of {count}: {name}"))
    trained = train_sketch(settings, lambda report: _err.print(str(report), highlight=False))
    package = export_package(trained.checkpoint, output, ExportOptions(overwrite=overwrite))
    _out.print(f"{package}: top-1 {trained.top1:.4f}, top-5 {trained.top5:.4f} on {trained.held_out_count} held out")


def main() -> None:
    """The entry point: a user's mistake is one line on standard error; `--debug` shows the traceback."""
    try:
        app()
    except MirillaError as error:
        if "--debug" in sys.argv:
            raise
        _say(error)
        sys.exit(2)


@contextmanager
def _export_extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(f"this command needs {error.name}; pip install 'mirilla[export]'") from error


def _exit_as(outcomes: Sequence[StreamOutcome], debug: bool) -> None:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in errors:
        if debug or not isinstance(error, MirillaError):
            raise error
        _say(error)
    if errors:
        raise typer.Exit(1)


def _say(error: MirillaError) -> None:
    _err.print(f"mirilla: {error}", style="red", markup=False, highlight=False, soft_wrap=True)


def _view(quiet: bool) -> RunView:
    return QuietView() if quiet else TerminalView(_out, _err)


def _log_to_terminal(debug: bool) -> None:
    if not debug:
        # OpenCV's own remarks on a damaged picture would stand beside our one line about it.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    handler = RichHandler(console=_err, show_time=False, show_path=False)
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s", handlers=[handler])


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}
