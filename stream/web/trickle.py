"""Candidates that come after the offer: an SDP fragment in a PATCH (loop's thread).

RFC 8840, section 9, and RFC 9725, section 4.3. Restarts of ICE are refused, as that section allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

FRAGMENT = "application/trickle-ice-sdpfrag"


class FragmentError(Exception):
    """A fragment cannot be taken.

    Attributes:
        status: the HTTP status that says so.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says.

    Attributes:
        user: whose candidates they are: `ice-ufrag`; None where it is left out.
        candidates: in their order.
        is_last: whether no further ones come.
    """

    user: str | None
    candidates: tuple[RTCIceCandidate, ...]
    is_last: bool


def read_fragment(body: bytes) -> Fragment:
    """Read a fragment.

    Raises:
        FragmentError: it cannot be read.
    """
    user, section, is_last = None, "0", False
    candidates: list[RTCIceCandidate] = []
    try:
        for line in body.decode("utf-8").splitlines():
            name, _, value = line.strip().removeprefix("a=").partition(":")
            if name == "ice-ufrag":
                user = value
            elif name == "mid":
                section = value
            elif name == "candidate":
                candidate = candidate_from_sdp(value)
                candidate.sdpMid = section
                candidates.append(candidate)
            elif name == "end-of-candidates":
                is_last = True
    except Exception as error:
        # aiortc's reader lets through whatever it stumbles over.
        raise FragmentError(400, "the fragment cannot be read") from error
    return Fragment(user, tuple(candidates), is_last)


def check_tag(wanted: str | None, tag: str) -> None:
    """Compare the `If-Match` of a PATCH with the session's entity tag.

    Raises:
        FragmentError: it is missing (428), asks for a restart (422), or names another ICE session (412).
    """
    if wanted is None:
        raise FragmentError(428, "If-Match has to name the session's ETag")
    if wanted.strip('"') == "*":
        raise FragmentError(422, "ICE is not restarted here; begin a new session")
    if tag not in (one.strip() for one in wanted.split(",")):
        raise FragmentError(412, "If-Match names another ICE session")
