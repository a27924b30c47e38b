"""The `mirilla` command: parse, call, print.

The one place that reaches `exporters` and `models.training`, and only when their command is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import MirillaError
from models.onnx_session import Device
from stream.errors import ConfigError
from stream.event_view import EventLogView
from stream.explain_commands import explain_app
from stream.latency_command import read_latency
from stream.measure_commands import between_commas, compare, evaluate
from stream.metrics_server import MetricsView, metrics_server
from stream.model_commands import export, fetch_zoo_models, list_models, train_sketch_model
from stream.options import RunOptions, settings_for
from stream.picture_timing import Timing
from stream.report import report_file
from stream.run_view import QuietView, TerminalView
from stream.segment_command import segment
from stream.serve_command import serve
from stream.sources.source import RtspTransport
from stream.stream_run import RunView, StreamOutcome, run_settings
from stream.terminal import Debug, LogForm, Quiet, err, log_to_terminal, out, say, say_with_traceback, tell
from stream.train_commands import train_drawing_segmenter, train_person_segmenter, train_unet
from stream.zoo_models import packages_of

app = typer.Typer(
    help="Watches video and draws what models see on it while the video plays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Make the bundled networks again, or train them on your own data.", no_args_is_help=True)
app.add_typer(train_app, name="train")
train_app.command(name="sketch")(train_sketch_model)
train_app.command(name="person-segmenter")(train_person_segmenter)
train_app.command(name="drawing-segmenter")(train_drawing_segmenter)
train_app.command(name="unet")(train_unet)
app.command(name="export")(export)
app.command(name="models")(list_models)
app.command(name="evaluate")(evaluate)
app.command(name="compare")(compare)
app.command(name="serve")(serve)
app.command(name="segment")(segment)
app.command(name="latency")(read_latency)
app.add_typer(explain_app, name="explain")

Report = Annotated[Path | None, typer.Option(help="Write the figures of the run to this JSON file.")]


@app.command()
def run(
    config: Annotated[
        Path | None, typer.Argument(help="A configuration file; config.yaml where no source is given.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="A video, image, folder, webcam (0), rtsp://, http://, 'doodles', 'pattern'."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A bundled or zoo name, a package folder, an .onnx file, or 'none'.")
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(
            help="out.mp4, .mkv, .gif, .jsonl, .csv, frames/, masks:folder/, window, web, null; {name}: the source's."
        ),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="The least score that is shown, 0 to 1.")] = None,
    classes: Annotated[str | None, typer.Option(help="Only these class names, with commas between them.")] = None,
    texts: Annotated[
        str | None, typer.Option(help="What a zero-shot model tells apart, with commas between: 'a dog,a cat'.")
    ] = None,
    max_detections: Annotated[
        int | None, typer.Option(min=1, help="At most so many objects a frame, the likeliest.")
    ] = None,
    track: Annotated[bool, typer.Option("--track", help="Follow objects from frame to frame, and count them.")] = False,
    skip_unchanged: Annotated[
        bool, typer.Option("--skip-unchanged", help="Let models rest while the scene does not change.")
    ] = False,
    detector: Annotated[
        str | None,
        typer.Option(help="For pose and sketch models: the package that finds people or drawings, or 'none'."),
    ] = None,
    device: Annotated[Device | None, typer.Option(help="Where models run.")] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play a recording by the clock, as if it were a camera.")
    ] = False,
    max_age: Annotated[
        float | None, typer.Option(metavar="MS", help="Drop a live frame that is older when a model could take it.")
    ] = None,
    overlay: Annotated[
        Timing | None,
        typer.Option(help="exact: a picture waits for its results; latest: it shows the newest, carried to it."),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="Stop after so many frames.")] = None,
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds of the source.")] = None,
    reconnect: Annotated[
        int | None, typer.Option(help="Try so often in a row to get a lost camera back; for ever where not given.")
    ] = None,
    rtsp_transport: Annotated[RtspTransport | None, typer.Option(help="How RTSP's pictures travel.")] = None,
    hud: Annotated[bool | None, typer.Option("--hud/--no-hud", help="Draw the run's figures on the picture.")] = None,
    watermark: Annotated[
        bool, typer.Option("--watermark", help="Draw the time of capture as a strip that `mirilla latency` reads.")
    ] = False,
    isolate: Annotated[
        str | None, typer.Option(help="LABEL, LABEL:white, LABEL:blur or LABEL:grey: show only what has this label.")
    ] = None,
    highlight: Annotated[str | None, typer.Option(help="LABEL: dim all that has not this label.")] = None,
    background: Annotated[
        str | None, typer.Option(help="blur, white, a picture, or none: what comes behind people.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace output that exists.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take models whose checksum or parity check failed.")
    ] = False,
    report: Report = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve the figures to Prometheus while it runs.")
    ] = None,
    log: Annotated[LogForm, typer.Option(help="What standard error gets: lines for people, or events as JSON.")] = (
        "text"
    ),
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run the streams of a configuration file, or of the options given."""
    log_to_terminal(debug, log)
    on_models: dict[str, Any] = {
        "threshold": threshold,
        "max_detections": max_detections,
        "track": track or None,
        "skip_unchanged": skip_unchanged or None,
        "detector": detector,
        "device": device,
        "unverified": unverified or None,
    }
    if classes is not None:
        on_models["classes"] = between_commas(classes)
    if texts is not None:
        on_models["texts"] = between_commas(texts)
    options = RunOptions(
        sources=source or (),
        models=model or (),
        sinks=sink or (),
        model=_given(on_models),
        stream=_given(
            {
                "frames": frames,
                "duration": duration,
                "realtime": realtime or None,
                "max_age_ms": max_age,
                "reconnect": reconnect,
                "rtsp_transport": rtsp_transport,
            }
        ),
        hud=hud,
        overlay=_given(
            {
                "results": overlay,
                "watermark": watermark or None,
                "isolate": isolate,
                "highlight": highlight,
                "background": background,
            }
        ),
        overwrite=overwrite,
    )
    settings = settings_for(config, options)
    fetch_zoo_models(packages_of(settings), quiet or log == "json")
    view: RunView = EventLogView(_view(quiet, with_progress=False)) if log == "json" else _view(quiet)
    with ExitStack() as running, report_file(report) as outcomes:
        if metrics is not None:
            view = MetricsView(view, running.enter_context(metrics_server(metrics)))
        outcomes.extend(run_settings(settings, view, say=lambda line: None if quiet else tell(out, line)))
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

    log_to_terminal(debug)
    report = report or output / "demo.json"
    outcome, sheet = run_demo(output, report, _view(quiet))
    if not quiet:
        out.print(f"{sheet.named_right} of {len(sheet.guesses)} drawings named right; the figures are in {report}")
    _exit_as([outcome], debug)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
    webrtc: Annotated[
        bool, typer.Option("--webrtc", help="Try to watch a stream as browsers do, step by step.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="With --webrtc: a running server; else one is run for it.")] = None,
    token: Annotated[str | None, typer.Option(envvar="MIRILLA_TOKEN", help="With --url: the server's token.")] = None,
    config: Annotated[Path | None, typer.Option(help="With --webrtc: whose 'web' is tried; config.yaml else.")] = None,
    debug: Debug = False,
) -> None:
    """Try what works on this machine, and say how to mend what does not; exit code 1 where something needed fails."""
    from stream.doctor.connection import webrtc_findings
    from stream.doctor.view import run_doctor

    log_to_terminal(debug)
    if not webrtc and (url is not None or config is not None):
        raise ConfigError("doctor: --url and --config belong to --webrtc; add it")
    if not run_doctor(out, as_json=as_json, found=webrtc_findings(url, token, config) if webrtc else None):
        raise typer.Exit(1)


def main() -> None:
    """The entry point: a user's mistake is one line on standard error; `--debug` shows the traceback."""
    try:
        app()
    except Exception as error:
        if isinstance(error, MirillaError) and "--debug" not in sys.argv:
            say(error)
        else:
            say_with_traceback(error)
        sys.exit(error.exit_code if isinstance(error, MirillaError) else 1)


def _exit_as(outcomes: Sequence[StreamOutcome], debug: bool) -> None:
    for error in (outcome.error for outcome in outcomes if outcome.error is not None):
        if isinstance(error, MirillaError) and not debug:
            say(error)
        else:
            say_with_traceback(error)
    if exit_code := max((outcome.exit_code for outcome in outcomes), default=0):
        raise typer.Exit(exit_code)


def _view(quiet: bool, *, with_progress: bool = True) -> RunView:
    return QuietView() if quiet else TerminalView(out, err if with_progress else None)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}
