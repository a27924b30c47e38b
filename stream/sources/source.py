"""The contract of a source, and of a kind of source.

The capture thread iterates a source; `close()` may come from any thread and wakes a blocked read.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from stream.frame import Frame, SourceInfo

RtspTransport = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a user may say of a source besides its address; each kind takes what concerns it.

    Attributes:
        reconnect: how often in a row to try to get a lost source back, None for ever.
        rtsp_transport: how RTSP's pictures travel.
        connect_seconds: how long a network source may take until its first picture.
        lost_after_seconds: how long a network source may give no picture before it counts as lost.
        http_proxy: `http://HOST:PORT`, through which everything goes over HTTP and HTTPS, whatever an address leads to.
    """

    reconnect: int | None = None
    rtsp_transport: RtspTransport = "tcp"
    connect_seconds: float = 10.0
    lost_after_seconds: float = 5.0
    http_proxy: str | None = None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source that may be lost and come back is doing; durations are on the monotonic clock.

    Attributes:
        is_connected: False from the moment a loss was noticed until a picture came again.
        last_frame_ns: when the last picture came; what is shown is stale since then.
        attempt: the running attempt to get it back: 1, 2, 3, ...; 0 while connected.
        reconnects: how often it came back.
        lost_ns: how long there was no picture, from the last one before each loss to the first one after it.
        superseded: pictures that were there and gave way to newer ones before anybody took them.
        waits_for: who has to come where the source cannot go and look itself: `a publisher`.
    """

    is_connected: bool
    last_frame_ns: int
    attempt: int
    reconnects: int
    lost_ns: int
    superseded: int
    waits_for: str | None = None


class Source(abc.ABC):
    """Frames in presentation order, with the times that the material itself carries.

    Opening happens in the constructor, so that what is wrong is said before the first frame. Iterating may be
    done once. A source that breaks while it is read yields everything that was decoded, then raises SourceError.
    """

    info: SourceInfo

    @property
    def status(self) -> SourceStatus | None:
        """How it is doing at this moment, safe from any thread; None for a source that cannot be lost."""
        return None

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
    open: Callable[[str, SourceOptions], Source]
