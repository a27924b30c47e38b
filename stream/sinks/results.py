"""What the models said, as a file: `.jsonl` has one line a frame, `.csv` one line a result (write thread).

A model is in the line of a frame only where it ran on it. What was counted follows the frame's results in CSV, a row a
number; masks and keypoints are in `.jsonl` alone.
Every line reaches the system before the next frame, so that `kill -9` leaves whole lines in `results.partial.jsonl`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.partial_file import PartialFile
from stream.sinks.sink import Sink, SinkKind

CSV_COLUMNS = (
    "index",
    "pts_seconds",
    "model",
    "task",
    "label",
    "score",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "track_id",
    "count",
)
"""A segment's score is its share of the frame; boxes are in pixels of the frame. A depth map has three rows, `min`,
`median` and `max`, with the depth as score. A row with a count has the name of what was counted as its label, and a
task that says how: see `_COUNTED`."""

_COUNTED = {"present": "count_present", "unique": "count_unique", "zones": "count_zone"}
"""By the key in `.jsonl`: objects now, objects since the beginning, objects in a zone; lines have `count_in` and
`count_out`."""

_ENDINGS = (".jsonl", ".csv")


class ResultsSink(Sink):
    """Writes one file of results."""

    needs_image = False
    wants_inferred = True

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the path that the user wrote; its ending decides between JSON lines and CSV.
            overwrite: whether an existing file may be replaced.
        """
        self._target = PartialFile(spec, overwrite=overwrite)
        self._is_csv = spec.lower().endswith(".csv")
        self._file: BinaryIO | None = None
        self._has_frames = False

    @override
    def open(self, info: SourceInfo) -> None:
        """Create the partial file, with the column names where it is CSV."""
        path = self._target.reserve()
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise self._target.failure(error) from error
        if self._is_csv:
            self._append(_csv_lines([CSV_COLUMNS]))

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Append the frame's line or lines."""
        if self._is_csv:
            self._append(_csv_lines(csv_rows(result.to_dict())))
        else:
            self._append(json.dumps(result.to_dict(), ensure_ascii=False) + "\n")
        self._has_frames = True

    def close(self) -> None:
        """Give the file its name."""
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as error:
            raise self._target.failure(error) from error
        finally:
            self._file = None
        if self._has_frames:
            self._target.publish()
        else:
            self._target.discard()

    def paths(self) -> list[str]:
        """The file, once it stands under its name."""
        return [self._target.spec] if self._target.is_published else []

    def _append(self, text: str) -> None:
        if self._file is None:
            raise SinkError(f"sink: {self._target.spec}: not open; see the error before this one")
        try:
            self._file.write(text.encode())
            self._file.flush()
        except OSError as error:
            file, self._file = self._file, None
            # Closing tries once more to write what is buffered; that it fails again adds nothing.
            with contextlib.suppress(OSError):
                file.close()
            raise self._target.failure(error) from error


def csv_rows(line: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of one frame in the order of `CSV_COLUMNS`; at least one, with empty columns where nothing was found.

    Args:
        line: what `FrameResult.to_dict()` gives.
    """
    frame = (line["index"], line["pts_seconds"])
    if not line["results"]:
        yield (*frame, *[""] * (len(CSV_COLUMNS) - len(frame)))
    for model, result in line["results"].items():
        found = (
            result.get("detections")
            or result.get("poses")
            or result.get("labels")
            or result.get("segments")
            or _depths(result)
            or [{}]
        )
        for item in found:
            box = item.get("box") or result.get("box") or {}
            corners = (box.get(corner, "") for corner in ("xmin", "ymin", "xmax", "ymax"))
            score = item.get("score", item.get("area", ""))
            yield (*frame, model, result["task"], item.get("label", ""), score, *corners, item.get("track_id", ""), "")
    for model, counts in line.get("counts", {}).items():
        for task, name, count in _counted(counts):
            yield (*frame, model, task, name, *[""] * 6, count)


def _counted(counts: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Task, name and number of everything in `Counts.to_dict()`."""
    for key, task in _COUNTED.items():
        for name, count in counts.get(key, {}).items():
            yield task, name, count
    for name, ways in counts.get("lines", {}).items():
        for way, count in ways.items():
            yield f"count_{way}", name, count


def _depths(result: dict[str, Any]) -> list[dict[str, Any]]:
    known = result.get("predicted_depth", {})
    return [{"label": name, "score": known[name]} for name in ("min", "median", "max") if known.get(name) is not None]


def _csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


SINK = SinkKind(
    name="results (.jsonl, .csv)",
    accepts=lambda spec: Path(spec).suffix.lower() in _ENDINGS and not spec.endswith(("/", "\\")),
    make=ResultsSink,
)
