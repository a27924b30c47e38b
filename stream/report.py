"""`--report`: the figures of a run as a JSON file, for programs."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stream.errors import ConfigError, SinkError
from stream.running_stream import StreamOutcome
from stream.sinks.partial_file import describe_failure

_log = logging.getLogger("mirilla")


@contextmanager
def report_file(path: Path | None) -> Iterator[list[StreamOutcome]]:
    """A list to put outcomes in; they are written when the block ends well.

    One stream's report is the file's whole content; several are `{"streams": {NAME: report}}`. What keeps the file from
    being written then, a disk that the run has filled, becomes the first outcome's error, so that the run is not lost
    over it; an error of the stream's own comes before it.

    Args:
        path: the file, replaced where it exists; None writes nothing.

    Raises:
        ConfigError: the file cannot be written; found out before the block runs.
    """
    outcomes: list[StreamOutcome] = []
    if path is None:
        yield outcomes
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"report: {path} cannot be written ({error.strerror}); choose another place") from error
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"report: {path} cannot be written; choose another place")
    yield outcomes
    reports = {outcome.name: outcome.report for outcome in outcomes}
    content = outcomes[0].report if len(outcomes) == 1 else {"streams": reports}
    try:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        failure = SinkError(f"report: {path}: {describe_failure(error)}")
        failure.__cause__ = error
        if outcomes[0].error is not None:
            _log.warning("%s", failure)
        outcomes[0] = replace(outcomes[0], error=outcomes[0].error or failure)
