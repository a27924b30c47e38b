"""The `mirilla` command: parse, call, print.

The one place that reaches `exporters` and `models.training`, and only when their command is called.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from models.errors import MirillaError
from stream.errors import ConfigError
from stream.explain_commands import explain_app
from stream.latency_command import read_latency
from stream.measure_commands import compare, evaluate
from stream.model_commands import export, list_models, train_sketch_model
from stream.run_command import Report, exit_as, run, view_for
from stream.segment_command import segment
from stream.segmenter_commands import train_drawing_segmenter, train_person_segmenter, train_unet
from stream.serve_command import serve
from stream.terminal import Debug, Quiet, log_to_terminal, out, say, say_with_traceback
from stream.train_commands import train_webcam_detector, write_webcam_sets

app = typer.Typer(
    help="Watches video and draws what models see on it while the video plays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Make the bundled networks again, or train them on your own data.", no_args_is_help=True)
app.command(name="run")(run)
app.add_typer(train_app, name="train")
train_app.command(name="sketch")(train_sketch_model)
train_app.command(name="person-segmenter")(train_person_segmenter)
train_app.command(name="drawing-segmenter")(train_drawing_segmenter)
train_app.command(name="unet")(train_unet)
train_app.command(name="webcam-detector")(train_webcam_detector)
train_app.command(name="webcam-sets")(write_webcam_sets)
app.command(name="export")(export)
app.command(name="models")(list_models)
app.command(name="evaluate")(evaluate)
app.command(name="compare")(compare)
app.command(name="serve")(serve)
app.command(name="segment")(segment)
app.command(name="latency")(read_latency)
app.add_typer(explain_app, name="explain")


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
    outcome, sheet = run_demo(output, report, view_for(quiet))
    if not quiet:
        out.print(f"{sheet.named_right} of {len(sheet.guesses)} drawings named right; the figures are in {report}")
    exit_as([outcome], debug)


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
