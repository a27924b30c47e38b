"""How somebody else gets in: a link that works once, and the same as a QR code for a telephone's camera."""

from __future__ import annotations

import io

import segno
from pydantic import BaseModel

from stream.web.access import LINK_SECONDS, Access, is_loopback
from stream.web.machine import in_address, reachable_host

_QUIET_ZONE = 2
"""Modules of white around a code; readers find it with fewer than the standard's four."""


class Invitation(BaseModel):
    """A link that works once."""

    url: str
    svg: str
    """The same as a QR code."""
    seconds: int
    """How long it is good."""
    is_secure: bool
    """Whether the page that it leads to may ask for a camera."""


class Invitations:
    """Makes invitations to a server."""

    def __init__(self, access: Access, host: str, port: int, *, is_secure: bool) -> None:
        """Know where the server is.

        Args:
            access: makes the codes.
            host: the address that is listened on.
            port: its port.
            is_secure: whether it speaks TLS.
        """
        self._access = access
        self._is_secure = is_secure
        self._is_local = is_loopback(host)
        scheme = "https" if is_secure else "http"
        self.address = f"{scheme}://{in_address(reachable_host(host))}:{port}/"
        """Where others reach the server; where it listens on this machine alone, where this machine does."""

    @property
    def is_possible(self) -> bool:
        """Whether anybody but this machine reaches the server, with a token that a link can stand for."""
        return not self._is_local and not self._access.is_open

    def first(self) -> str | None:
        """The link for whoever started the server, good until it is used; None where the address is enough."""
        code = self._access.link_code
        return None if code is None else self._link(code)

    def new(self) -> Invitation:
        """One more invitation."""
        url = self._link(self._access.new_code())
        return Invitation(url=url, svg=qr_svg(url), seconds=LINK_SECONDS, is_secure=self._is_secure)

    def _link(self, code: str) -> str:
        return f"{self.address}enter?code={code}"


def qr_svg(text: str) -> str:
    """A QR code as an SVG document, black on white, whatever the page's colours: readers want it so."""
    buffer = io.BytesIO()
    segno.make(text, micro=False).save(
        buffer, kind="svg", border=_QUIET_ZONE, dark="#000", light="#fff", xmldecl=False, svgns=True, omitsize=True
    )
    return buffer.getvalue().decode()


def qr_lines(text: str) -> list[str]:
    """A QR code for a terminal: two rows of modules in a line, in half blocks, light on a dark ground or not."""
    buffer = io.StringIO()
    segno.make(text, micro=False).terminal(buffer, border=_QUIET_ZONE, compact=True)
    return buffer.getvalue().splitlines()
