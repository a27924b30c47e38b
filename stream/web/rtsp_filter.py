"""Reads along what an RTSP server answers, so that it cannot send libav elsewhere (loop's thread).

libav follows redirections to any address. It is shown only what this filter reads in the very same way: anything that
two readers might read differently ends the connection.
"""

from __future__ import annotations

import re

from stream.web.source_rules import RefusedError

LARGEST_HEAD = 16 * 1024

_STATUS = re.compile(rb"RTSP/1\.[01] ([1-5][0-9]{2})( [ -~]*)?")
_LENGTH = re.compile(rb"content-length:[ ]*([0-9]{1,7})[ ]*", re.IGNORECASE)
_LINE = re.compile(rb"[ -#%-~][\t -~]*")
"""Printable, and without a `$` at its beginning: there libav would see a packet of pictures (RFC 2326, 10.12)."""

_PACKET = ord("$")
_PACKET_HEAD = 4


class RtspFilter:
    """One connection's answers."""

    def __init__(self) -> None:
        """Nothing was read."""
        self._waiting = b""
        self._rest = 0
        """Bytes of a packet or a body that need no reading."""

    def feed(self, data: bytes) -> bytes:
        """Read what came; returns what may be passed on of all that has come.

        Raises:
            RefusedError: it is a redirection, or nothing that can be read for certain.
        """
        self._waiting += data
        passed = bytearray()
        while self._waiting:
            if not self._rest:
                self._rest = self._next_length()
                if not self._rest:
                    break
            passed += self._waiting[: self._rest]
            taken = min(self._rest, len(self._waiting))
            self._waiting = self._waiting[taken:]
            self._rest -= taken
        return bytes(passed)

    def _next_length(self) -> int:
        """Of what begins here, with its body; 0 where more has to come before that is known."""
        if self._waiting[0] == _PACKET:
            if len(self._waiting) < _PACKET_HEAD:
                return 0
            return _PACKET_HEAD + int.from_bytes(self._waiting[2:_PACKET_HEAD], "big")
        end = re.search(rb"\n\r?\n", self._waiting)
        if end is None or end.end() > LARGEST_HEAD:
            if len(self._waiting) > LARGEST_HEAD:
                raise RefusedError("the camera's answer has no end")
            return 0
        first, *lines = (line.removesuffix(b"\r") for line in self._waiting[: end.start()].split(b"\n"))
        status = _STATUS.fullmatch(first)
        if status is None or not all(_LINE.fullmatch(line) for line in lines):
            raise RefusedError("the camera's answer cannot be read")
        if status[1].startswith(b"3"):
            raise RefusedError("the camera sends to another address; give that one")
        lengths = [_LENGTH.fullmatch(line) for line in lines if line.lower().startswith(b"content-length")]
        if len(lengths) > 1 or None in lengths:
            raise RefusedError("the camera's answer cannot be read")
        return end.end() + sum(int(length[1]) for length in lengths if length is not None)
