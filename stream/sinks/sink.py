"""The contract of a sink, and of a kind of sink.

The render+write thread opens nothing: `open` is called before the first frame by the pipeline's caller, `write` and
`close` on the write thread. `attend` is for what must happen on the caller's thread: a window's events.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.controls import Controls
from stream.frame import SourceInfo
from stream.frame_result import FrameResult


class Sink(abc.ABC):
    """Takes annotated pictures and results, in order."""

    needs_image = True
    """Whether `write` looks at the picture; overlays are not drawn where no sink does."""

    is_view = False
    """Whether somebody looks at it now, so that it is told when the source stalls: see `refresh`."""

    wants_inferred = False
    """Whether it keeps what models said, so that only frames on which they ran are its business.

    Where the picture does not wait for the models (`overlay: latest`), it is given those frames, and no others.
    """

    is_of_the_run = False
    """Whether it comes and goes with the run alone, and cannot be added or taken away meanwhile."""

    shows_plain = False
    """Whether people may see the picture without what is drawn on it: what hides parts of it holds for the run then."""

    keeps_time = False
    """Whether what it makes has a time line, which begins where the source's does: see `stream.sinks.late_start`."""

    @abc.abstractmethod
    def open(self, info: SourceInfo) -> None:
        """Make ready; raises SinkError where writing cannot work, before any frame was spent."""

    @abc.abstractmethod
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Take one frame.

        Args:
            image: uint8 (H, W, 3), BGR, the annotated picture; valid only during the call.
            result: the frame it was made from, and what the models said.

        Raises:
            SinkError: the sink can take no more; the message ends with what to do.
        """

    def refresh(self, image: NDArray[np.uint8]) -> None:
        """Show the last frame's picture again, with the figures of this moment, while no new frame comes.

        Called instead of `write`, a few times a second, where `is_view` is set. No frame stands behind it: nothing of
        it is kept.

        Args:
            image: as for `write`.

        Raises:
            SinkError: as `write`.
        """
        raise NotImplementedError(f"{type(self).__name__} is a view, and cannot be refreshed")

    def attend(self, controls: Controls, seconds: float) -> bool:  # noqa: ARG002 - for others
        """Do what belongs on the thread that opened the sink: called there again and again while the stream runs.

        Called once more when all is written and closed.

        Args:
            controls: of the stream, to be changed as the person wishes.
            seconds: about how long to take; less where the stream ends.

        Returns:
            Whether the time was spent; a sink that needs no attendance returns False at once.
        """
        return False

    @abc.abstractmethod
    def close(self) -> None:
        """Finish: what was written is whole and stands under its own name. Closing twice does nothing."""

    def paths(self) -> list[str]:
        """What was made, as the user named it; empty for a sink that leaves nothing."""
        return []


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One kind of sink: a module of `stream.sinks` offers itself as its attribute `SINK`.

    Attributes:
        name: what `--help` calls it: `video (.mp4, .mkv)`.
        accepts: whether a `--sink` text means this kind; at most one kind without a prefix accepts a text.
        make: makes the sink from the text and whether existing output may be replaced; does not touch the disk.
        prefix: a text that begins with it means this kind and no other, and what this kind accepts goes before what
            others do; empty for most kinds.
    """

    name: str
    accepts: Callable[[str], bool]
    make: Callable[[str, bool], Sink]
    prefix: str = ""
