"""The `mirilla` command: parse, call, print.

The one place that reaches `exporters` and `models.training`, and only when their command is called.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import typer
from rich.console import Console
from rich.logging import RichHandler

from models.errors import MirillaError
from models.onnx_session import Device
from stream.config import Settings
from stream.errors import ConfigError
from stream.options import RunOptions, settings_for
from stream.report import report_file
from stream.run_view import QuietView, TerminalView
from stream.stream_run import RunView, StreamOutcome, run_settings
from stream.zoo_models import fetch_ready, missing_from_zoo

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
        list[str] | None, typer.Option(help="A bundled or zoo name, a package folder, an .onnx file, or 'none'.")
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
    _fetch_zoo_models(settings, (lambda _: None) if quiet else _err.print)
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
    """List the models that come with Mirilla, those exported here, and the zoo."""
    from stream.model_table import package_table, zoo_table

    _out.print(package_table())
    _out.print(zoo_table())


@app.command()
def export(
    checkpoint: Annotated[str, typer.Argument(help="A zoo name, an id of the hub, a folder, or a .pt file.")],
    output: Annotated[Path | None, typer.Option(help="The package's folder; else --model finds it by name.")] = None,
    task: Annotated[str | None, typer.Option(help="What the model is asked; else what it was trained for.")] = None,
    size: Annotated[str, typer.Option(help="The only input size, HEIGHTxWIDTH, or 'dynamic'.")] = "dynamic",
    batch: Annotated[int | None, typer.Option(help="The only batch size; else any.", min=1)] = None,
    opset: Annotated[int, typer.Option(help="The ONNX operator set.")] = 18,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8.")] = "fp32",
    calibrate: Annotated[
        str | None, typer.Option(help="Images or a video that set the ranges of a static int8 model.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Class names between commas, or a file of lines.")] = None,
    tune: Annotated[str | None, typer.Option(help="Try what may be faster on this clip, and keep the fastest.")] = None,
    min_agreement: Annotated[
        float | None, typer.Option(help="The least share of results that agree with fp32 PyTorch, 0 to 1.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that exists.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Turn a PyTorch checkpoint into an ONNX package, and prove that it does what PyTorch does."""
    from stream.sample import sample_pictures

    _log_to_terminal(debug)
    with _export_extra():
        import exporters.request as kit
    request = kit.ExportRequest(
        checkpoint, output, task, size, batch, opset, precision, labels, min_agreement, overwrite,
        calibration=sample_pictures(calibrate) if calibrate else (),
        clip=sample_pictures(tune) if tune else (),
    )  # fmt: skip
    say = (lambda _: None) if quiet else _out.print
    package = kit.export_request(request, say)
    _out.print(f"{package.name}: in {package}", markup=False, highlight=False, soft_wrap=True)


def _fetch_zoo_models(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the zoo's models ready that the streams name and that are not here yet; says how it does."""
    for name in missing_from_zoo(settings):
        try:
            with _export_extra():
                import exporters.request as kit
        except ConfigError as missing:
            say(f"{name}: {fetch_ready(name, missing)}")
            continue
        say(f"{name}: exporting it from the hub, once")
        kit.export_request(kit.ExportRequest(name), say)


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
        from exporters.export import ExportOptions, check_output, export_package
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
    check_output(output, overwrite=overwrite)
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
        sys.exit(error.exit_code)


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
