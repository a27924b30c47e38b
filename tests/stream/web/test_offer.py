from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from stream.web.offer import MOST_SECTIONS, OfferError, read_offer
from tests.stream.web.offers import an_offer

CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"
OTHER_PROFILE = "profile-level-id=640c1f"  # H.264 High, level 3.1


@pytest.mark.parametrize(
    ("offered", "codec"),
    [
        # Both are offered, VP8 first, as browsers do: H.264 costs half.
        (None, "H264"),
        ("H264", "H264"),
        ("VP8", "VP8"),
    ],
)
def test_the_codec_is_h264_wherever_the_viewer_has_it(offered: str | None, codec: str) -> None:
    assert read_offer(an_offer(offered).encode()).codec == codec


def test_a_viewer_with_profiles_of_h264_that_we_do_not_encode_gets_vp8() -> None:
    offer = an_offer().replace("profile-level-id=42001f", OTHER_PROFILE)
    offer = offer.replace("profile-level-id=42e01f", OTHER_PROFILE)
    assert offer.count(OTHER_PROFILE) == 2
    assert read_offer(offer.encode()).codec == "VP8"


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        # Nothing at all, and something else.
        (lambda _: "", 400, "0 video sections"),
        (lambda _: "v=0 but not really", 400, "no SDP"),
        (lambda _: '{"sdp": 1}', 400, "0 video sections"),
        # Sound only.
        (lambda sdp: sdp.replace("m=video", "m=audio"), 400, "0 video sections"),
        # The viewer has rejected its own section.
        (lambda sdp: re.sub(r"m=video \d+", "m=video 0", sdp), 400, "0 video sections"),
        # A camera that wants to send.
        (lambda sdp: sdp.replace("a=recvonly", "a=sendonly"), 400, "sendonly"),
        (lambda sdp: sdp.replace("a=recvonly", "a=inactive"), 400, "inactive"),
        # Nobody could connect, or know with whom.
        (lambda sdp: without(sdp, "a=ice-ufrag"), 400, "ICE"),
        (lambda sdp: without(sdp, "a=ice-pwd"), 400, "ICE"),
        (lambda sdp: without(sdp, "a=fingerprint"), 400, "fingerprint"),
        # H.264 and VP8 under names that nobody knows.
        (lambda sdp: sdp.replace("H264/", "H264X/").replace("VP8/", "VP8X/"), 406, "neither"),
        # One section more than may be.
        (lambda sdp: sdp + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" * MOST_SECTIONS, 400, "more than"),
        # Addresses to send datagrams to, for all the world.
        (lambda sdp: sdp + f"{CANDIDATE}\r\n" * 65, 400, "more than 64 candidates"),
        # Numbers where the parser wants numbers.
        (lambda sdp: sdp.replace("a=rtpmap:97", "a=rtpmap:ninety"), 400, "no SDP"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(change: Callable[[str], str], status: int, word: str) -> None:
    with pytest.raises(OfferError, match=word) as refused:
        read_offer(change(an_offer()).encode())
    assert refused.value.status == status


def test_two_video_sections_are_one_too_many() -> None:
    with pytest.raises(OfferError, match="2 video sections"):
        read_offer(an_offer(sections=2).encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(OfferError, match="UTF-8"):
        read_offer(an_offer().encode() + b"\xff\xfe")


def without(sdp: str, beginning: str) -> str:
    """The offer without the lines that begin so."""
    return "".join(line for line in sdp.splitlines(keepends=True) if not line.startswith(beginning))
