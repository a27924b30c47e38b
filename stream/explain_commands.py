"""The commands that explain: `explain iou`, `explain sliding-window`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from models.onnx_session import Device
from stream.errors import ConfigError
from stream.terminal import Debug, err, log_to_terminal, out

explain_app = typer.Typer(help="Pictures that explain how detection works.", no_args_is_help=True)


@explain_app.command(name="iou")
def explain_iou(
    a: Annotated[str, typer.Option("--a", help="A box: x1,y1,x2,y2.")] = "40,40,240,190",
    b: Annotated[str, typer.Option("--b", help="Another.")] = "120,90,340,260",
    output: Annotated[Path, typer.Option(help="The picture to write (.png).")] = Path("out/iou.png"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    debug: Debug = False,
) -> None:
    """Draw two boxes, their intersection and their union, with the value."""
    from stream.explain.iou import parse_box, write_iou

    log_to_terminal(debug)
    value = write_iou(parse_box("--a", a), parse_box("--b", b), output, overwrite=overwrite)
    out.print(f"IoU {value:.3f}; made {output}", highlight=False, soft_wrap=True)


@explain_app.command(name="sliding-window")
def explain_sliding_window(
    image: Annotated[Path, typer.Argument(help="The picture to look for objects in.")],
    model: Annotated[str, typer.Option(help="A classifier: bundled name, package folder or .onnx file.")] = (
        "quickdraw-32"
    ),
    window: Annotated[int | None, typer.Option(help="Its side in pixels; half the shorter side.")] = None,
    stride: Annotated[int | None, typer.Option(help="How far it moves, in pixels; a quarter of the window.")] = None,
    scales: Annotated[str, typer.Option(help="Factors on both, with commas between them.")] = "1",
    threshold: Annotated[float, typer.Option(help="The least score of a hit, 0 to 1.")] = 0.5,
    nms_iou: Annotated[float, typer.Option(help="Hits that overlap a likelier one by more are dropped.")] = 0.2,
    output: Annotated[Path, typer.Option(help="The animation to write (.gif).")] = Path("out/sliding-window.gif"),
    device: Annotated[Device, typer.Option(help="Where the model runs.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    debug: Debug = False,
) -> None:
    """Use a classifier as a detector, and animate how its window sweeps over the picture."""
    from models.model import load_model
    from models.sliding_window import SlidingWindow, WindowSpec
    from stream.explain.sliding_window import write_sweep

    log_to_terminal(debug)
    try:
        factors = tuple(float(text) for text in scales.split(","))
    except ValueError as error:
        raise ConfigError(f"scales: expected numbers with commas between them, got {scales!r}; mend it") from error
    spec = WindowSpec(window, stride, factors, threshold, nms_iou)
    detector = SlidingWindow(load_model(model, device=device), spec)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(model, total=None)
        outcome = write_sweep(
            detector,
            image,
            output,
            overwrite=overwrite,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    found = ", ".join(outcome.objects.labels) or "nothing"
    out.print(
        f"{outcome.windows} windows, {len(outcome.hits)} hits, {len(outcome.objects)} left: {found}; made {output}",
        highlight=False,
        soft_wrap=True,
    )
