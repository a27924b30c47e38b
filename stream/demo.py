"""`mirilla demo`: the bundled sketch model over the built-in drawing session, with nothing to bring along."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Classification
from stream.config import Settings, check_settings
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.report import report_file
from stream.running_stream import StreamOutcome
from stream.sinks import Sink
from stream.sources.doodles import doodle_schedule
from stream.stream_run import RunView, run_settings

MODEL = "quickdraw-32"
_TILE_WIDTH_PX = 480
_COLUMNS = 4


@dataclass(slots=True)
class ContactSheet(Sink):
    """Keeps the last frame of every drawing, and makes one picture of them all.

    Attributes:
        path: of the picture, replaced where it exists.
        guesses: the best guess for each finished drawing by the drawing's name; None where none was made.
    """

    path: Path
    guesses: dict[str, str | None] = field(default_factory=dict)
    _tiles: list[NDArray[np.uint8]] = field(default_factory=list)
    _is_written: bool = False

    def open(self, info: SourceInfo) -> None:  # noqa: ARG002 - Sink
        """Make the folder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Keep the picture and the guess where a drawing is finished."""
        for doodle in doodle_schedule():
            if doodle.last_index == result.frame.index:
                height, width = image.shape[:2]
                size = (_TILE_WIDTH_PX, round(_TILE_WIDTH_PX * height / width))
                self._tiles.append(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8))
                answer = result.results[MODEL]
                labels = answer.labels if isinstance(answer, Classification) else []
                self.guesses[doodle.name] = labels[0] if labels else None

    def close(self) -> None:
        """Write the picture; none where no drawing was finished."""
        if not self._tiles or self._is_written:
            return
        blank = np.zeros_like(self._tiles[0])
        cells = self._tiles + [blank] * (math.ceil(len(self._tiles) / _COLUMNS) * _COLUMNS - len(self._tiles))
        rows = [np.hstack(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)]
        encoded, data = cv2.imencode(".png", np.vstack(rows))
        try:
            self.path.write_bytes(data.tobytes())
        except OSError as error:
            raise SinkError(f"sink: {self.path} cannot be written ({error.strerror}); choose another folder") from error
        self._is_written = encoded

    def paths(self) -> list[str]:
        """The picture, once it is written."""
        return [str(self.path)] if self._is_written else []

    @property
    def named_right(self) -> int:
        """How many of the finished drawings have their own name as the best guess."""
        return sum(name == guess for name, guess in self.guesses.items())


def demo_settings(output: Path) -> Settings:
    """What the demo runs: a configuration as a user would write it."""
    stream = {
        "source": "doodles",
        "models": [{"package": MODEL, "threads": 1}],
        "sinks": [str(output / "demo.mp4")],
    }
    return check_settings({"streams": {"demo": stream}, "overwrite": True}, "demo")


def run_demo(output: Path, report: Path, view: RunView) -> tuple[StreamOutcome, ContactSheet]:
    """Run the demo.

    Args:
        output: the folder for `demo.mp4` and `demo.png`, which are replaced.
        report: the JSON file for the figures.
        view: told of the run.

    Raises:
        MirillaError: the folder cannot be written to.
    """
    sheet = ContactSheet(output / "demo.png")
    with report_file(report) as outcomes:
        outcomes.extend(run_settings(demo_settings(output), view, [sheet]))
    return outcomes[0], sheet
