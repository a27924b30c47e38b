"""STUN and TURN servers: what aiortc, browsers and players are told of them (loop's thread).

Without any nothing outside of the local network is asked. TURN credentials that are made of a secret follow coturn's
REST scheme (draft-uberti-behave-turn-rest-00, 2.2): the user name begins with the second at which it runs out, the
password is the base64 of HMAC-SHA1 of the user name under the secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from aiortc import RTCIceServer
from pydantic import BaseModel

from stream.web_settings import IceServer

_USER = "mirilla"


class IceServerEntry(BaseModel):
    """A server as browsers take it (WebRTC, 4.2.3, RTCIceServer)."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers:
    """The servers of the configuration, with credentials that are good from now on."""

    def __init__(self, servers: Sequence[IceServer] = (), clock: Callable[[], float] = time.time) -> None:
        """Know them.

        Args:
            servers: of the configuration.
            clock: seconds since 1970.
        """
        self._servers = servers
        self._clock = clock

    def entries(self) -> list[IceServerEntry]:
        """For browsers."""
        return [self._entry(server) for server in self._servers]

    def for_aiortc(self) -> list[RTCIceServer]:
        """For our own side of connections; aiortc uses the first of each kind."""
        return [RTCIceServer(list(one.urls), one.username, one.credential) for one in self.entries()]

    def links(self) -> list[str]:
        """Values of `Link` headers for players (RFC 9725, 4.6; draft-ietf-wish-whep-03, 4.4)."""
        return [_link(url, entry) for entry in self.entries() for url in entry.urls]

    def _entry(self, server: IceServer) -> IceServerEntry:
        username, credential = server.username, server.credential
        if server.secret is not None:
            username = f"{int(self._clock()) + server.lifetime_seconds}:{_USER}"
            digest = hmac.new(server.secret.encode(), username.encode(), hashlib.sha1).digest()
            credential = base64.b64encode(digest).decode()
        return IceServerEntry(urls=list(server.urls), username=username, credential=credential)


def _link(url: str, entry: IceServerEntry) -> str:
    parts = [f"<{url}>", 'rel="ice-server"']
    if url.startswith("turn") and entry.username is not None and entry.credential is not None:
        parts += [f"username={_quoted(entry.username)}", f"credential={_quoted(entry.credential)}"]
        parts.append('credential-type="password"')
    return "; ".join(parts)


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110, 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
