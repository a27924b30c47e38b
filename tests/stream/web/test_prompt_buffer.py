"""When a picture is whole, packet by packet."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtpPacket

from stream.web.prompt_buffer import PromptBuffer

FIRST = 65_534
"""Two packets before their numbers begin again."""

Told = tuple[int, str, bool]
"""How many packets after the first one, which picture's, and whether it is marked."""


@pytest.mark.parametrize(
    ("packets", "given"),
    [
        # A picture of one packet, of two, and of three over the numbers' end.
        ([(0, "a", True)], ["a"]),
        ([(0, "a", False), (1, "a", True)], ["", "aa"]),
        ([(0, "a", True), (1, "b", False), (2, "b", False), (3, "b", True)], ["a", "", "", "bbb"]),
        # A sender that marks nothing: the next picture tells.
        ([(0, "a", False), (1, "a", False), (2, "b", False)], ["", "", "aa"]),
        # The end comes before the middle.
        ([(0, "a", False), (2, "a", True), (1, "a", False)], ["", "", "aaa"]),
        # One was lost and comes again when the next picture is there, too: that one is given with the packet after.
        (
            [(0, "a", False), (2, "b", False), (3, "b", True), (1, "a", True), (4, "c", True)],
            ["", "", "", "aa", "bb"],
        ),
        # The same packet twice.
        ([(0, "a", True), (0, "a", True), (1, "b", True)], ["a", "", "b"]),
    ],
)
def test_a_picture_is_given_with_its_last_packet(packets: list[Told], given: list[str]) -> None:
    buffer = PromptBuffer()
    found = []
    for after, picture, is_marked in packets:
        packet = RtpPacket(sequence_number=(FIRST + after) % 65_536, timestamp=3000 * ord(picture), marker=is_marked)
        packet._data = picture.encode()  # type: ignore[attr-defined]
        _, frame = buffer.add(packet)
        found.append(frame.data.decode() if frame else "")
    assert found == given
