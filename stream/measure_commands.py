"""The commands that measure models, and not streams: `evaluate`, `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.onnx_session import Device
from stream.terminal import Debug, Quiet, err, log_to_terminal, out


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundled name, a package folder or an .onnx file.")],
    data: Annotated[
        Path,
        typer.Option(
            help="COCO annotations (.json); a folder with images/ and masks/, with one sub-folder a class, "
            "or with Quick, Draw! files."
        ),
    ],
    images: Annotated[Path | None, typer.Option(help="Where the pictures of COCO annotations lie.")] = None,
    held_out: Annotated[float | None, typer.Option(help="Only this last share of each Quick, Draw! file.")] = None,
    score: Annotated[float, typer.Option(help="The least score of detections, for precision and recall.")] = 0.5,
    iou: Annotated[float, typer.Option(help="The least overlap with an object, for precision and recall.")] = 0.5,
    device: Annotated[Device, typer.Option(help="Where the model runs.")] = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Draw curves and confusions into this folder.")] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take a model whose checksum or parity check failed.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure a model on annotated data."""
    from models.evaluation.evaluation import EvaluationOptions
    from stream.evaluation_view import run_evaluation

    log_to_terminal(debug)
    options = EvaluationOptions(
        images=images, held_out=held_out, score=score, iou=iou, device=device, unverified=unverified
    )
    run_evaluation(model, data, options, out, err, json_file=json_file, output=output, quiet=quiet)


def compare(
    models: Annotated[list[str], typer.Argument(help="Two models or more, as --model of run takes them.")],
    source: Annotated[list[str], typer.Option(help="A clip, a picture, or a folder of pictures.")],
    data: Annotated[Path | None, typer.Option(help="COCO annotations of the pictures (.json).")] = None,
    output: Annotated[Path, typer.Option(help="The folder to write tables and pictures to.")] = Path("out/compare"),
    threshold: Annotated[float | None, typer.Option(help="The least score of a result, 0 to 1.")] = None,
    texts: Annotated[
        str | None, typer.Option(help="What zero-shot models tell apart, with commas between: 'a dog,a cat'.")
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="At most so many frames of each source.")] = None,
    device: Annotated[Device, typer.Option(help="Where the models run.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take models whose checksum or parity check failed.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run several models on the same frames: a table of figures, and their pictures side by side."""
    from stream.comparison.compare import ComparisonOptions
    from stream.comparison.view import run_comparison

    log_to_terminal(debug)
    options = ComparisonOptions(
        output=output,
        data=data,
        threshold=threshold,
        device=device,
        unverified=unverified,
        texts=None if texts is None else between_commas(texts),
        frames=frames,
        overwrite=overwrite,
    )
    run_comparison(models, source, options, out, err, quiet=quiet)


def between_commas(text: str) -> tuple[str, ...]:
    """The parts of an option that takes several."""
    return tuple(part.strip() for part in text.split(","))
