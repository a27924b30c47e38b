"""`--log json`: one object a line, for every event of a run by a scripted clock."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from stream.event_log import JsonFormatter, log_event
from stream.event_view import EventLogView
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.run_view import QuietView
from stream.running_stream import StreamOutcome
from tests.stream.doubles import ScriptedClock, ScriptedModel, ScriptedSource


class Log:
    """What was written to the log since it was last read."""

    def __init__(self) -> None:
        self.text = StringIO()

    def read(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.getvalue().splitlines()]
        self.text.seek(0)
        self.text.truncate()
        return lines


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    logger = logging.getLogger("mirilla")
    handler, level = logging.StreamHandler(log.text), logger.level
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield log
    logger.removeHandler(handler)
    logger.setLevel(level)


def figures(line: dict[str, Any]) -> dict[str, Any]:
    """A line without its time, which is the only thing that the test cannot know."""
    assert line["time"].endswith("+00:00")
    return {key: value for key, value in line.items() if key not in ("time", "message")}


def test_a_run_tells_how_it_begins_fares_and_ends(log: Log) -> None:
    clock = ScriptedClock()
    source = ScriptedSource(3, is_live=True, clock_ns=clock)
    metrics = Metrics(["scripted"], clock, source=source.info)
    pipeline = Pipeline(source, [ScriptedModel()], [], metrics=metrics)
    view = EventLogView(QuietView())

    follow = view.following("door", pipeline)
    (start,) = log.read()
    assert figures(start) == {
        "level": "info",
        "event": "start",
        "stream": "door",
        "source": "scripted",
        "width": 64,
        "height": 48,
        "rate": 25.0,
        "live": True,
        "models": {"scripted": "CPUExecutionProvider"},
    }

    metrics.frame_captured(0)
    follow()
    assert log.read() == []  # nothing has happened

    clock.advance(3)
    follow()
    follow()  # said once
    (lost,) = log.read()
    assert figures(lost) == {"level": "warning", "event": "source_lost", "stream": "door", "silent_seconds": 3.0}

    metrics.frame_captured(0)
    follow()
    (found,) = log.read()
    assert figures(found) == {"level": "info", "event": "source_found", "stream": "door"}

    metrics.frame_dropped("superseded", 7)
    clock.advance(7)
    metrics.frame_captured(0)
    follow()
    follow()
    (dropped,) = log.read()
    assert figures(dropped)["dropped"] == {"superseded": 7}

    view.finished(StreamOutcome("door", metrics.report({}), [], ValueError("broke")))
    (end,) = log.read()
    assert (end["event"], end["error"], end["frames"]["captured"]) == ("end", "broke", 3)


def test_what_others_log_is_json_too(log: Log) -> None:
    logging.getLogger("mirilla").warning("two\nlines and %s", "ünïcode")
    log_event("odd", "an event", {"path": StringIO})  # whatever it is, the line stays whole
    warning, odd = log.read()
    assert figures(warning) == {"level": "warning", "event": "log"}
    assert warning["message"] == "two\nlines and ünïcode"
    assert odd["event"] == "odd"


def test_an_error_s_traceback_is_in_its_line(log: Log) -> None:
    try:
        raise ValueError("broke")
    except ValueError:
        logging.getLogger("mirilla").exception("failed")
    (line,) = log.read()
    assert line["traceback"].endswith("ValueError: broke")
