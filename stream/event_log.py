"""`--log json`: what happens in a run as one JSON object a line on standard error, for programs that watch.

Every line has `time`, `level`, `event` and `message`; an event's own figures stand beside them. Warnings and errors
have the event `log` where they are none of these:

    model_loaded, start, source_lost, source_found, dropped, changed, change_refused, needs_restart, end, error

`stream.event_view` tells how streams fare; whoever else has something to tell calls `log_event`.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

_log = logging.getLogger("mirilla")


class JsonFormatter(logging.Formatter):
    """A record of the log as one line of JSON; what was logged with `extra={"event": ..., "figures": {...}}` is one."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
            "message": record.getMessage(),
            **getattr(record, "figures", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_event(event: str, message: str, figures: dict[str, Any], level: int = logging.INFO) -> None:
    """Log an event; without `--log json` it is seen only with `--debug`."""
    _log.log(level, "%s", message, extra={"event": event, "figures": figures})
