"""The commands that make and list models: `export`, `train`, `models`.

With `stream.cli` the only place that reaches `exporters` and `models.training`, and only when a command is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.measure import Measurement

from models.hub import hide_download_bars
from stream.errors import ConfigError
from stream.terminal import Debug, Quiet, err, export_extra, log_to_terminal, out, tell
from stream.zoo_models import fetch_ready, missing_from_zoo

_ANY_WIDTH = 10_000


def list_models() -> None:
    """List the models that come with Mirilla, those exported here, and the zoo."""
    from stream.model_table import package_table, zoo_table

    for table in (package_table(), zoo_table()):
        # A name that is cut cannot be used: where the terminal is narrow it breaks the lines, and nothing is lost.
        table.width = Measurement.get(out, out.options.update(max_width=_ANY_WIDTH), table).maximum
        out.print(table, crop=False)


def export(
    checkpoint: Annotated[str, typer.Argument(help="A zoo name, an id of the hub, a folder, or a .pt file.")],
    output: Annotated[Path | None, typer.Option(help="The package's folder; else --model finds it by name.")] = None,
    task: Annotated[str | None, typer.Option(help="What the model is asked; else what it was trained for.")] = None,
    revision: Annotated[
        str | None, typer.Option(help="A branch, tag or commit of the hub; else the zoo's, or what was taken before.")
    ] = None,
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

    log_to_terminal(debug)
    with export_extra():
        import exporters.request as kit
    request = kit.ExportRequest(
        checkpoint, output, task, revision, size, batch, opset, precision, labels, min_agreement, overwrite,
        calibration=sample_pictures(calibrate) if calibrate else (),
        clip=sample_pictures(tune) if tune else (),
    )  # fmt: skip
    package = kit.export_request(request, _listener(out, quiet))
    tell(out, f"{package.name}: in {package}")


def _listener(console: Console, quiet: bool) -> Callable[[str], None]:
    """Prints what is done next; where the user wants quiet, nothing is told and no download shows a bar."""
    if quiet:
        hide_download_bars()
        return lambda _: None
    return partial(tell, console)


def fetch_zoo_models(packages: Iterable[str], quiet: bool) -> None:
    """Make the zoo's models ready that are named and not here yet; says how, unless `quiet`."""
    say = _listener(err, quiet)
    for name in missing_from_zoo(packages):
        try:
            with export_extra():
                import exporters.request as kit
        except ConfigError as missing:
            say(f"{name}: {fetch_ready(name, missing)}")
            continue
        say(f"{name}: exporting it from the hub, once")
        kit.export_request(kit.ExportRequest(name), say)


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
    with export_extra():
        from exporters.export import ExportOptions, check_output, export_package
        from models.training.quickdraw_download import download_quickdraw
        from models.training.sketch_package import measure_package
        from models.training.sketch_settings import SketchTrainingSettings
        from models.training.train_sketch import train_sketch

    log_to_terminal(debug)
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
        download_quickdraw(data, on_file=lambda name, index, count: err.print(f"{index + 1} of {count}: {name}"))
    trained = train_sketch(settings, lambda report: err.print(str(report), highlight=False))
    calibration = tuple(trained.calibration) if settings.package_precision == "int8" else ()
    options = ExportOptions(precision=settings.package_precision, calibration=calibration, overwrite=overwrite)
    package = export_package(trained.checkpoint, output, options)
    reached = measure_package(package, settings, trained)
    out.print(f"{package}: top-1 {reached.top1:.4f}, top-5 {reached.top5:.4f} on {reached.count} held out")
