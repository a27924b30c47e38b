"""The parts of `web:` in the configuration: TLS, ICE servers, interfaces, and what may be added by address."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stream.checked import Checked


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_ice_server(value: Any) -> Any:
    return {"urls": value} if isinstance(value, str | list) else value


def _as_tls(value: Any) -> Any:
    return {"cert": value} if isinstance(value, str) else value


_ICE_URL = re.compile(r"(stun:[^?:/@\s]+(:\d{1,5})?|turns?:[^?:/@\s]+(:\d{1,5})?(\?transport=(udp|tcp))?)")
"""RFC 7064 and 7065, without `stuns:`, for which neither browsers nor aiortc have a client."""


def _ice_url(url: str) -> str:
    if _ICE_URL.fullmatch(url) is None:
        raise ValueError("write stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp), or turns:HOST:PORT")
    return url


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


class Tls(Checked):
    """What the page is encrypted with."""

    cert: Path
    """PEM: the certificate, and those that lead to its root; `auto` makes one for this machine's names."""
    key: Path | None = None
    """PEM, without a password; None where the certificate's file holds it."""

    @property
    def is_own(self) -> bool:
        """Whether this machine makes the certificate."""
        return self.cert == Path("auto")

    @model_validator(mode="after")
    def _has_no_other_key(self) -> Self:
        if self.is_own and self.key is not None:
            raise ValueError("auto makes a key of its own; leave key out")
        return self


TlsOrNone = Annotated[Tls | None, BeforeValidator(_as_tls)]


class IceServer(Checked):
    """A STUN or TURN server."""

    urls: Annotated[
        tuple[Annotated[str, AfterValidator(_ice_url)], ...], Field(min_length=1), BeforeValidator(_as_list)
    ]
    username: str | None = None
    credential: str | None = None
    secret: Annotated[str, Field(min_length=1)] | None = None
    """Shared with a TURN server (coturn's `static-auth-secret`): credentials are made of it that run out."""
    lifetime_seconds: Annotated[int, Field(ge=1800, le=7 * 24 * 3600)] = 6 * 3600
    """Of credentials that are made of a secret; pages keep them for ten minutes before they use them."""

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        is_fixed = self.username is not None or self.credential is not None
        if self.secret is not None and is_fixed:
            raise ValueError("give username and credential, or secret, not both")
        if (self.username is None) != (self.credential is None):
            raise ValueError("username and credential belong together; give both")
        if any(url.startswith("turn") for url in self.urls) and not is_fixed and self.secret is None:
            raise ValueError("a TURN server asks who comes; give username and credential, or secret")
        return self


IceServers = tuple[Annotated[IceServer, BeforeValidator(_as_ice_server)], ...]

Interfaces = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""Names of network interfaces, `*` standing for any letters, or networks such as `192.168.0.0/16`."""


class InterfaceRules(Checked):
    """Over which of this machine's networks video may travel."""

    allow: Interfaces = ()
    """Empty allows all."""
    deny: Interfaces = ()
    """Goes before `allow`."""


class AllowedSources(Checked):
    """What viewers may add as a stream, by its address."""

    protocols: Annotated[tuple[Literal["rtsp", "rtsps", "http", "https"], ...], Field(min_length=1)] = (
        "rtsp",
        "rtsps",
        "http",
        "https",
    )
    networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Private networks that may be reached besides the public internet: `192.168.1.0/24`."""
    most: Annotated[int, Field(ge=1, le=32)] = 4
    """At a time."""
    like: str | None = None
    """The stream whose models and overlay an added one takes; None shows the bare picture."""


def _as_allowed(value: Any) -> Any:
    return {True: {}, False: None}.get(value, value) if isinstance(value, bool) else value


Allowed = Annotated[AllowedSources | None, BeforeValidator(_as_allowed)]
