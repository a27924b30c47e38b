"""The command `mirilla segment`: options in, a few lines out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from models.onnx_session import Device
from stream.model_commands import fetch_zoo_models
from stream.terminal import Debug, Quiet, err, log_to_terminal, out, tell

_SHOWN = 10


def segment(
    source: Annotated[str, typer.Argument(help="A picture, or recorded video.")],
    model: Annotated[str, typer.Option(help="Of the SAM family: an exported or zoo name, or a folder.")],
    point: Annotated[list[str] | None, typer.Option(help="X,Y on the object, in pixels; repeatable.")] = None,
    negative: Annotated[list[str] | None, typer.Option(help="X,Y beside the object; repeatable.")] = None,
    box: Annotated[list[str] | None, typer.Option(help="X1,Y1,X2,Y2 around the object.")] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option("--object", help="One more object: 'point:X,Y negative:X,Y box:X1,Y1,X2,Y2'; repeatable."),
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All objects, found by a grid of points.")] = False,
    points_per_side: Annotated[int, typer.Option(help="Of the grid.")] = 32,
    least_iou: Annotated[float, typer.Option(help="Of the grid's masks, the least predicted IoU.")] = 0.88,
    least_stability: Annotated[float, typer.Option(help="Of the grid's masks, the least stability.")] = 0.95,
    at: Annotated[float, typer.Option(help="Seconds into a video.")] = 0.0,
    all_masks: Annotated[bool, typer.Option("--all-masks", help="All three masks of each object.")] = False,
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("out/segment"),
    device: Annotated[Device, typer.Option(help="Where the model runs.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take a model whose checksum or parity check failed.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Point at things in a picture or a frame of a video, and cut them out."""
    from models.everything import GridSpec
    from stream.segmenting.prompt_options import parse_prompts
    from stream.segmenting.segment import GIF_NAME, RESULTS_NAME, SegmentOptions, segment_source

    log_to_terminal(debug)
    grid = GridSpec(points_per_side, least_iou=least_iou, least_stability=least_stability) if everything else None
    options = SegmentOptions(
        output=output,
        prompts=parse_prompts(point or (), negative or (), box or (), objects or ()),
        grid=grid,
        at_seconds=at,
        all_masks=all_masks,
        device=device,
        unverified=unverified,
        overwrite=overwrite,
    )
    fetch_zoo_models([model], quiet)
    with Progress(console=err, transient=True, disable=quiet or grid is None or not err.is_terminal) as progress:
        task = progress.add_task(model, total=None)
        made = segment_source(
            source, model, options, lambda done, total: progress.update(task, completed=done, total=total)
        )
    if quiet:
        return
    found = made.found
    for label, score, pixels in list(zip(found.labels, found.scores.tolist(), made.pixels, strict=True))[:_SHOWN]:
        tell(out, f"{label}: {pixels} pixels, predicted IoU {score:.3f}")
    if len(found) > _SHOWN:
        tell(out, f"... {len(found)} masks in all")
    if not len(found):
        tell(out, "no mask is sure and stable enough; --least-iou and --least-stability ask for less")
    halves = [
        f"{half} {made.stage_ms[half]:.1f} ms ({runs} {'run' if runs == 1 else 'runs'})"
        for half, runs in made.runs.items()
    ]
    tell(out, f"{', '.join(halves)}, {made.provider}")
    tell(out, f"made {output}: masks, cut-outs, {GIF_NAME}, {RESULTS_NAME}")
