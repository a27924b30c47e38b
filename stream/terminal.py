"""What every command shares with the person before the terminal: the two outputs, errors in one line, the log."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar, Literal

import cv2
import typer
from rich.console import Console
from typing_extensions import override

from models.errors import MirillaError
from stream.errors import ConfigError
from stream.event_log import JsonFormatter, log_event
from stream.sources.address import redacted

LogForm = Literal["text", "json"]

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
    """Print an error as one line on standard error: in words, or as JSON where the log is JSON."""
    if any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers):
        log_event("error", redacted(str(error)), {"exit_code": error.exit_code}, logging.ERROR)
        return
    err.out(f"mirilla: {redacted(str(error))}", style="red", highlight=False)


def say_with_traceback(error: BaseException) -> None:
    """Print an error with the places it passed on standard error, without the credentials of any address."""
    sys.stderr.write(redacted("".join(traceback.format_exception(error))))


class _Redacting(logging.Filter):
    """Takes the credentials of addresses out of every record, also libav's own."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), None
        return True


class LineHandler(logging.Handler):
    """Prints each record as one line, with its level before it; as `tell` does, and in colour on a terminal."""

    _STYLES: ClassVar[dict[int, str]] = {logging.WARNING: "yellow", logging.ERROR: "red"}

    def __init__(self, console: Console) -> None:
        """Print there."""
        super().__init__()
        self._console = console

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            style = self._STYLES.get(record.levelno)
            self._console.out(f"{record.levelname:8} {self.format(record)}", style=style, highlight=False)
        except Exception:  # as logging's own handlers: a log that cannot be written ends nothing
            self.handleError(record)


def log_to_terminal(debug: bool, form: LogForm = "text") -> None:
    """Send the log to standard error: warnings, or with `debug` everything; as JSON lines events, too."""
    if not debug:
        # OpenCV's own remarks on a damaged picture would stand beside our one line about it.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    handler: logging.Handler = LineHandler(err)
    level = logging.WARNING
    if form == "json":
        handler, level = logging.StreamHandler(), logging.INFO
    handler.addFilter(_Redacting())
    logging.basicConfig(level=logging.DEBUG if debug else level, format="%(message)s", handlers=[handler])
    if form == "json":
        handler.setFormatter(JsonFormatter())
