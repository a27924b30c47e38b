from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.web.rtsp_filter import LARGEST_HEAD, RtspFilter
from stream.web.source_rules import RefusedError

OPTIONS = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP\r\n\r\n"
DESCRIBE = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 11\r\n\r\nv=0\r\nRTSP/1"
PACKET = b"$\x00\x00\x06RTSP/1"
"""A packet of pictures that looks like an answer inside."""

GOOD = OPTIONS + DESCRIBE + PACKET + PACKET + b"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n"


@given(st.lists(st.integers(0, len(GOOD)), max_size=20))
def test_what_a_camera_answers_passes_unchanged_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(GOOD)]
    filtering = RtspFilter()
    passed = [filtering.feed(GOOD[start:end]) for start, end in pairwise(places)]
    assert b"".join(passed) == GOOD


@pytest.mark.parametrize(
    "answer",
    [
        b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"RTSP/1.0 301\nLocation: rtsp://127.0.0.1/\n\n",
        # After a packet, and after a body.
        PACKET + b"RTSP/1.0 305 Use Proxy\r\n\r\n",
        DESCRIBE + b"RTSP/1.0 302 Moved\r\n\r\n",
        # What libav's reader and ours might read differently: the sign of a packet at a line's beginning,
        b"RTSP/1.0 200 OK\r\n$\x00\x00\x10\r\n\r\n",
        # returns and zeros within a line,
        b"RTSP/1.0 200 OK\r\nContent-\rLength: 5\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nX: \x00\r\n\r\n",
        # numbers that are none, or two,
        b"RTSP/1.0 +302 Moved\r\n\r\n",
        b"RTSP/1.0 0302 Moved\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 0x10\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        # requests of the server's, other protocols, and nothing at all.
        b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"\r\n\r\nRTSP/1.0 302 Moved\r\n\r\n",
        b"x" * (LARGEST_HEAD + 1),
    ],
)
def test_redirections_and_what_cannot_be_read_for_certain_end_the_connection(answer: bytes) -> None:
    filtering = RtspFilter()
    with pytest.raises(RefusedError):
        filtering.feed(answer)
    # Nothing of it has passed in pieces either, but for what came before it.
    filtering, passed = RtspFilter(), list[bytes]()
    with pytest.raises(RefusedError):
        passed.extend(filtering.feed(answer[place : place + 1]) for place in range(len(answer)))
    assert b"302" not in b"".join(passed)
    assert b"Location" not in b"".join(passed)
