"""`mirilla run`: parse, call, print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import MirillaError
from models.onnx_session import Device
from stream.config_file import ConfigFile
from stream.event_view import EventLogView
from stream.measure_commands import between_commas
from stream.metrics_server import MetricsView, metrics_server
from stream.model_commands import fetch_zoo_models
from stream.options import RunOptions, path_of, settings_for
from stream.picture_timing import Timing
from stream.report import report_file
from stream.run_view import QuietView, TerminalView
from stream.running_stream import StreamOutcome
from stream.sources.source import RtspTransport
from stream.stream_options import Config, Hud, Models, Sources
from stream.stream_run import RunView, run_settings
from stream.terminal import Debug, LogForm, Quiet, err, log_to_terminal, out, say, say_with_traceback, tell
from stream.zoo_models import packages_of

Sinks = Annotated[
    list[str] | None,
    typer.Option(
        help="out.mp4, .mkv, .gif, .jsonl, .csv, frames/, masks:folder/, window, web, null; {name}: the source's."
    ),
]
Alternatives = Annotated[
    list[str] | None,
    typer.Option(
        "--alternative", help="What n and p in the window change the model to; else all of its kind that are here."
    ),
]
Threshold = Annotated[float | None, typer.Option(help="The least score that is shown, 0 to 1.")]
Classes = Annotated[str | None, typer.Option(help="Only these class names, with commas between them.")]
Texts = Annotated[
    str | None, typer.Option(help="What a zero-shot model tells apart, with commas between: 'a dog,a cat'.")
]
MaxDetections = Annotated[int | None, typer.Option(min=1, help="At most so many objects a frame, the likeliest.")]
Track = Annotated[bool, typer.Option("--track", help="Follow objects from frame to frame, and count them.")]
SkipUnchanged = Annotated[
    bool, typer.Option("--skip-unchanged", help="Let models rest while the scene does not change.")
]
Detector = Annotated[
    str | None, typer.Option(help="For pose models: the package that finds people, or 'none' for one person.")
]
OnDevice = Annotated[Device | None, typer.Option(help="Where models run.")]
Realtime = Annotated[bool, typer.Option("--realtime", help="Play a recording by the clock, as if it were a camera.")]
MaxAge = Annotated[
    float | None, typer.Option(metavar="MS", help="Drop a live frame that is older when a model could take it.")
]
Overlay = Annotated[
    Timing | None,
    typer.Option(help="exact: a picture waits for its results; latest: it shows the newest, carried to it."),
]
Frames = Annotated[int | None, typer.Option(help="Stop after so many frames.")]
Duration = Annotated[float | None, typer.Option(help="Stop after so many seconds of the source.")]
Reconnect = Annotated[
    int | None, typer.Option(help="Try so often in a row to get a lost camera back; for ever where not given.")
]
Transport = Annotated[RtspTransport | None, typer.Option(help="How RTSP's pictures travel.")]
Watermark = Annotated[
    bool, typer.Option("--watermark", help="Draw the time of capture as a strip that `mirilla latency` reads.")
]
Isolate = Annotated[
    str | None, typer.Option(help="LABEL, LABEL:white, LABEL:blur or LABEL:grey: show only what has this label.")
]
Background = Annotated[str | None, typer.Option(help="blur, white, a picture, or none: what comes behind people.")]
Highlight = Annotated[str | None, typer.Option(help="LABEL: dim all that has not this label.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")]
Unverified = Annotated[bool, typer.Option("--unverified", help="Take models whose checksum or parity check failed.")]
Report = Annotated[Path | None, typer.Option(help="Write the figures of the run to this JSON file.")]
MetricsAddress = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Serve the figures to Prometheus while it runs.")
]
Log = Annotated[LogForm, typer.Option(help="What standard error gets: lines for people, or events as JSON.")]


def run(
    config: Config = None,
    source: Sources = None,
    model: Models = None,
    sink: Sinks = None,
    alternative: Alternatives = None,
    threshold: Threshold = None,
    classes: Classes = None,
    texts: Texts = None,
    max_detections: MaxDetections = None,
    track: Track = False,
    skip_unchanged: SkipUnchanged = False,
    detector: Detector = None,
    device: OnDevice = None,
    realtime: Realtime = False,
    max_age: MaxAge = None,
    overlay: Overlay = None,
    frames: Frames = None,
    duration: Duration = None,
    reconnect: Reconnect = None,
    rtsp_transport: Transport = None,
    hud: Hud = None,
    watermark: Watermark = False,
    isolate: Isolate = None,
    highlight: Highlight = None,
    background: Background = None,
    overwrite: Overwrite = False,
    unverified: Unverified = False,
    report: Report = None,
    metrics: MetricsAddress = None,
    log: Log = "text",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run the streams of a configuration file, or of the options given."""
    log_to_terminal(debug, log)
    on_models: dict[str, Any] = {
        "alternatives": alternative,
        "threshold": threshold, "max_detections": max_detections, "track": track or None,
        "classes": None if classes is None else between_commas(classes),
        "texts": None if texts is None else between_commas(texts),
        "skip_unchanged": skip_unchanged or None, "detector": detector, "device": device,
        "unverified": unverified or None,
    }  # fmt: skip
    on_streams: dict[str, Any] = {
        "frames": frames, "duration": duration, "realtime": realtime or None, "max_age_ms": max_age,
        "reconnect": reconnect, "rtsp_transport": rtsp_transport,
    }  # fmt: skip
    on_overlays = {"results": overlay, "watermark": watermark or None, "isolate": isolate, "highlight": highlight,
                   "background": background}  # fmt: skip
    options = RunOptions(
        source or (),
        model or (),
        sink or (),
        _given(on_models),
        _given(on_streams),
        hud,
        _given(on_overlays),
        overwrite,
    )
    _run(config, options, report, metrics, log, quiet, debug)


def _run(
    config: Path | None,
    options: RunOptions,
    report: Path | None,
    metrics: str | None,
    log: LogForm,
    quiet: bool,
    debug: bool,
) -> None:
    settings = settings_for(config, options)
    fetch_zoo_models(packages_of(settings), quiet or log == "json")
    view: RunView = EventLogView(view_for(quiet, with_progress=False)) if log == "json" else view_for(quiet)
    with ExitStack() as running, report_file(report) as outcomes:
        if metrics is not None:
            view = MetricsView(view, running.enter_context(metrics_server(metrics)))
        tell_user: Callable[[str], None] = (lambda _: None) if quiet else partial(tell, out)
        watched = _config_file(config, options, is_told=not quiet and log != "json")
        outcomes.extend(run_settings(settings, view, config=watched, say=tell_user))
    exit_as(outcomes, debug)


def _config_file(path: Path | None, options: RunOptions, *, is_told: bool) -> ConfigFile | None:
    """What is watched while the run goes on; None where everything stands in the options."""
    path = path_of(path, options)
    say = partial(tell, err) if is_told else lambda _: None
    return None if path is None else ConfigFile(path, lambda: settings_for(path, options), say)


def exit_as(outcomes: Sequence[StreamOutcome], debug: bool) -> None:
    """Say what broke, and end the command with the exit code that it makes; returns where nothing did."""
    for error in (outcome.error for outcome in outcomes if outcome.error is not None):
        if isinstance(error, MirillaError) and not debug:
            say(error)
        else:
            say_with_traceback(error)
    if exit_code := max((outcome.exit_code for outcome in outcomes), default=0):
        raise typer.Exit(exit_code)


def view_for(quiet: bool, *, with_progress: bool = True) -> RunView:
    """What shows a run on the terminal."""
    return QuietView() if quiet else TerminalView(out, err if with_progress else None)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}
