"""What every command shares with the person before the terminal: the two outputs, errors in one line, the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.logging import RichHandler

from models.errors import MirillaError
from stream.errors import ConfigError

out = Console()
"""Standard output: what was asked for."""

err = Console(stderr=True)
"""Standard error: progress, and what went wrong."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")]


@contextmanager
def export_extra() -> Iterator[None]:
    """Turn a missing library of the export extra into one line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(f"this command needs {error.name}; pip install 'mirilla[export]'") from error


def tell(console: Console, line: str) -> None:
    """Print a line as it is: nothing in it is markup, and it is broken by nobody but the terminal."""
    console.out(line, highlight=False)


def say(error: MirillaError) -> None:
    """Print an error as one line on standard error."""
    err.out(f"mirilla: {error}", style="red", highlight=False)


def log_to_terminal(debug: bool) -> None:
    """Send the log to standard error: warnings, or with `debug` everything."""
    if not debug:
        # OpenCV's own remarks on a damaged picture would stand beside our one line about it.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    handler = RichHandler(console=err, show_time=False, show_path=False)
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s", handlers=[handler])
