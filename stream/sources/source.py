"""The contract of a source, and of a kind of source.

The capture thread iterates a source; `close()` may come from any thread and wakes a blocked read.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from stream.frame import Frame, SourceInfo


class Source(abc.ABC):
    """Frames in presentation order, with the times that the material itself carries.

    Opening happens in the constructor, so that what is wrong is said before the first frame. Iterating may be
    done once. A source that breaks while it is read yields everything that was decoded, then raises SourceError.
    """

    info: SourceInfo

    status: str | None = None
    """What a source that gives no frames is doing, in a few words for the HUD: `reconnecting`. Read from any thread."""

    @abc.abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """The frames; ends at the end of the material or soon after `close()`."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release everything; a blocked read in another thread ends. Closing twice does nothing."""

    def __enter__(self) -> Self:
        """The source itself, already open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close."""
        self.close()


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source: a module of `stream.sources` offers itself as its attribute `SOURCE`.

    Attributes:
        name: what doctor and `--help` call it: `video file`.
        accepts: whether a `--source` text means this kind; at most one kind accepts a text. A kind must not claim a
            path that does not exist unless it can say better than the default what is wrong with it.
        open: makes the source; raises SourceError with one line that ends with what to do.
    """

    name: str
    accepts: Callable[[str], bool]
    open: Callable[[str], Source]
