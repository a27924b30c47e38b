"""What `mirilla serve` tells the person who started it: how to open the page, and how safe it is."""

from __future__ import annotations

from collections.abc import Iterator

from stream.config import WebSettings
from stream.web.certificate import Certificate
from stream.web.invitation import Invitations, qr_lines


def greeting(
    invitations: Invitations, web: WebSettings, certificate: Certificate | None, *, with_code: bool = False
) -> Iterator[str]:
    """The lines.

    Args:
        invitations: knows the address, and makes the first link.
        web: the settings.
        certificate: what the page is encrypted with.
        with_code: whether they are read in a terminal, where a telephone's camera can read a QR code.
    """
    link = invitations.first()
    if link is None:
        yield f"open {invitations.address} (Ctrl-C ends)"
    else:
        yield f"open {link} (works once; Ctrl-C ends)"
    if invitations.is_possible and link is not None and with_code:
        yield from qr_lines(link)
    if link is not None and web.token is None:
        yield "other viewers need the token of this run: set web.token in the configuration to choose it"
    if certificate is not None:
        if web.tls is not None and web.tls.is_own:
            yield "browsers warn of this machine's own certificate once, and show its fingerprint, which has to be"
        yield f"SHA-256 {certificate.fingerprint}"
    elif invitations.is_possible:
        yield (
            "the page is not encrypted, and browsers give it no camera: add --tls auto, or use it in a network that "
            "you trust"
        )
