"""Why a network source has no picture, in words that name the mend (reader thread of a connection).

libav's errors carry the whole address, credentials and all, so none of them leaves this file.
"""

from __future__ import annotations

import errno
import socket

import av
import av.error

from stream.sources.address import host_of, redacted

_NO_VIDEO = "answers, but with no video that libav knows", "open the address in a player; a web page is no stream"
_BY_KIND: tuple[tuple[type[Exception], str, str], ...] = (
    (
        av.error.HTTPUnauthorizedError,
        "wants another user name or password (401)",
        "put USER:PASSWORD@ before the host",
    ),
    (av.error.HTTPForbiddenError, "forbids it (403)", "allow this user, or this machine, to see it"),
    (av.error.HTTPNotFoundError, "has nothing at this path (404)", "check the path"),
    (av.error.ConnectionRefusedError, "refuses the connection", "check the port, and that something serves there"),
    (av.error.ConnectionResetError, "closed the connection", "check that it still serves"),
    (av.error.InvalidDataError, *_NO_VIDEO),
    (av.error.EOFError, *_NO_VIDEO),
    (av.error.ProtocolNotFoundError, "needs a protocol that this build of libav lacks", "use another address of it"),
)
_BY_NUMBER = {
    errno.EHOSTUNREACH: ("cannot be reached from here", "check the address and the network"),
    errno.ENETUNREACH: ("cannot be reached from here", "check the address and the network"),
    errno.ETIMEDOUT: ("does not answer", "check the address and the network"),
}


class LostError(Exception):
    """A connection gave no further picture.

    Attributes:
        what: what the other side did: `refuses the connection`.
        mend: what a person may do.
        is_end: whether the material simply ended.
        is_final: whether another attempt would find the same.
        is_silent: whether the other side was there, and said nothing.
    """

    def __init__(
        self, what: str, mend: str, *, is_end: bool = False, is_final: bool = False, is_silent: bool = False
    ) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.is_end = is_end
        self.is_final = is_final
        self.is_silent = is_silent

    @classmethod
    def silent(cls, seconds: float) -> LostError:
        """Nothing came for too long."""
        return cls(f"gave no picture for {seconds:g} s", "check the camera and the network", is_silent=True)

    @classmethod
    def no_video(cls) -> LostError:
        """Something came that is no video."""
        return cls(*_NO_VIDEO)

    @classmethod
    def while_opening(cls, error: av.error.FFmpegError, address: str) -> LostError:
        """What kept libav from opening an address."""
        for kind, what, mend in _BY_KIND:
            if isinstance(error, kind):
                return cls(what, mend)
        number = error.errno or 0
        if number == errno.EIO and (host := _unknown_host(address)):
            # libav says only that its input or output failed.
            return cls(f"has a host name that nobody knows ({host})", "check its spelling, and the network")
        what, mend = _BY_NUMBER.get(number, (f"cannot be opened ({_words(error)})", "check that it plays elsewhere"))
        return cls(what, mend)

    @classmethod
    def while_reading(cls, error: av.error.FFmpegError, *, is_live: bool) -> LostError:
        """What broke a stream that was open."""
        mend = "check the camera and the network" if is_live else "check the server, or download the file first"
        return cls(f"broke off ({_words(error)})", mend)


def _words(error: av.error.FFmpegError) -> str:
    return redacted(error.strerror or "unknown error")


def _unknown_host(address: str) -> str | None:
    host = host_of(address)
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return host
    return None
