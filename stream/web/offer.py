"""What an SDP offer asks for, checked before anything is opened for it (loop's thread)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import MediaDescription, SessionDescription

from stream.web.picture_encoder import Codec

LARGEST_SDP_BYTES = 64 * 1024
"""Chromium offers about 6 kB."""

MOST_SECTIONS = 8
"""Video, sound, data; a player may offer more than it needs."""


MOST_CANDIDATES = 64
"""Each is an address to which the server sends a handful of datagrams, whoever listens there."""

Purpose = Literal["watch", "send", "both"]

_DIRECTIONS: Mapping[Purpose, tuple[str, ...]] = {
    "watch": ("recvonly", "sendrecv"),
    "send": ("sendonly", "sendrecv"),
    "both": ("sendrecv",),
}
"""What the offer's video may be; the first is what to ask for."""


class OfferError(Exception):
    """An offer cannot be answered.

    Attributes:
        status: the HTTP status that says so.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        sdp: as it came.
        codec: in which pictures travel: H.264 where the other side has a profile that we encode, else VP8.
        ice_user: `ice-ufrag` of its ICE session.
        candidates_left: how many further candidates may come later.
        is_video_first: whether video stands before all other sections.
    """

    sdp: str
    codec: Codec
    ice_user: str
    candidates_left: int
    is_video_first: bool


def read_offer(body: bytes, purpose: Purpose = "watch") -> Offer:
    """Check an offer.

    Args:
        body: of the request.
        purpose: what the other side is here for.

    Raises:
        OfferError: it is no SDP, asks for something else, or has no codec of ours.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise OfferError(400, "the offer is no UTF-8 text") from error
    # Counted before it is parsed: each section costs a connection.
    candidates_left = MOST_CANDIDATES - _count(text, "a=candidate")
    if _count(text, "m=") > MOST_SECTIONS:
        raise OfferError(400, f"the offer has more than {MOST_SECTIONS} media sections")
    if candidates_left < 0:
        raise OfferError(400, f"the offer has more than {MOST_CANDIDATES} candidates")
    sections = _parsed(text).media
    videos = [media for media in sections if media.kind == "video" and media.port]
    if len(videos) != 1:
        raise OfferError(400, f"the offer has {len(videos)} video sections; offer one")
    video = videos[0]
    wanted = _DIRECTIONS[purpose]
    if video.direction not in wanted:
        raise OfferError(400, f"the offer's video is {video.direction}; offer {wanted[0]}")
    user = (video.ice.usernameFragment if video.ice else None) or ""
    return Offer(text, _codec(video), user, candidates_left, is_video_first=sections[0] is video)


def _count(text: str, beginning: str) -> int:
    return sum(line.startswith(beginning) for line in text.splitlines())


def _parsed(text: str) -> SessionDescription:
    try:
        description = SessionDescription.parse(text)
    except Exception as error:
        # aiortc lets through whatever its parser stumbles over: ValueError, IndexError, AssertionError and others.
        raise OfferError(400, "the offer is no SDP that can be read") from error
    for media in description.media:
        ice, dtls = media.ice, media.dtls
        if not (ice and ice.usernameFragment and ice.password and dtls and dtls.fingerprints):
            raise OfferError(400, "the offer lacks ICE credentials or a DTLS fingerprint")
    return description


def _codec(video: MediaDescription) -> Codec:
    names = {codec.name.upper() for codec in find_common_codecs(CODECS["video"], video.rtp.codecs)}
    if "H264" in names:
        return "H264"
    if "VP8" in names:
        return "VP8"
    raise OfferError(406, "the offer has neither H.264 (baseline, packetization-mode=1) nor VP8")
