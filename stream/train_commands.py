"""The commands that train what finds people and drawings before a webcam: `train webcam-detector`, `train webcam-sets`.

As `stream.model_commands`, it reaches `exporters` and `models.training` only when a command is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.terminal import Debug, err, export_extra, log_to_terminal, out, tell

_DataFolder = Annotated[Path, typer.Option(help="The folder with quickdraw, people, coco and drawings.")]


def train_webcam_detector(
    data: Annotated[
        Path, typer.Option(help="The folder with quickdraw, people, coco and drawings; or your own COCO file (.json).")
    ],
    output: Annotated[Path, typer.Option(help="The folder of the finished package.")],
    start: Annotated[
        Path | None, typer.Option(help="A checkpoint folder of an RT-DETR to start from; else from nothing.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of 16 scenes.")] = 12_000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads of PyTorch.")] = 1,
    loaders: Annotated[int, typer.Option(help="Processes that make scenes.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda, or another that PyTorch knows.")] = "cpu",
    checkpoint: Annotated[Path | None, typer.Option(help="Where the training keeps its state; runs/NAME.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last saved step.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that exists.")] = False,
    setting: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, any other training setting.")] = None,
    debug: Debug = False,
) -> None:
    """Train a detector of faces, hands and drawings, or of your own classes, and export it as a package."""
    with export_extra():
        from exporters.export import ExportOptions, check_output, export_package
        from models.training.detector_settings import DetectorTrainingSettings
        from models.training.webcam_detector import measure_package, read_detector_data, train_on

    log_to_terminal(debug)
    settings = DetectorTrainingSettings.from_texts(
        setting or (),
        data=data,
        output=checkpoint or Path("runs") / output.name,
        start=start,
        steps=steps,
        seed=seed,
        threads=threads,
        loaders=loaders,
        device=device,
        resume=resume,
    )
    check_output(output, overwrite=overwrite)
    material = read_detector_data(settings)
    trained = train_on(material, settings, lambda report: tell(err, str(report)))
    size_hw = (settings.height, settings.width)
    options = ExportOptions(size_hw=size_hw, overwrite=overwrite)
    package = export_package(trained.checkpoint, output, options, lambda step: tell(err, f"{step} ..."))
    reached = measure_package(package, material, settings, trained, lambda name: tell(err, name))
    tell(out, f"{package}: {', '.join(f'{name} {value:.3f}' for name, value in reached.items())}")


def write_webcam_sets(
    data: _DataFolder,
    output: Annotated[Path, typer.Option(help="The folder to write the sets to; what is there is replaced.")],
    pages: Annotated[int, typer.Option(min=1, help="How many pages of drawings.")] = 500,
    debug: Debug = False,
) -> None:
    """Write what the webcam models are measured on, none of which trains, as sets that `mirilla evaluate` reads."""
    with export_extra():
        from models.training.evaluation_sets import write_evaluation_sets

    log_to_terminal(debug)
    write_evaluation_sets(data, output, pages, lambda name: tell(err, f"{output / name}"))
