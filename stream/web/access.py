"""Who may come in: a token in the header, a link that works once, or the cookie that either of them sets."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

COOKIE = "mirilla"
LEAST_TOKEN_LENGTH = 16
LINK_SECONDS = 15 * 60
"""How long a link that the page has made may be used."""

MOST_LINKS = 16
"""Of the page's, that nobody has used yet; the oldest gives way."""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Access:
    """The token of a server, and what is derived from it."""

    def __init__(self, token: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the first link.

        Args:
            token: what has to be shown; None lets everybody in who can reach the server.
            clock: seconds.
        """
        self._token = token
        self._clock = clock
        # Until when, or None for as long as the server runs: the printed one.
        self._links: dict[str, float | None] = {} if token is None else {secrets.token_urlsafe(24): None}

    @property
    def is_open(self) -> bool:
        """Whether nothing has to be shown."""
        return self._token is None

    @property
    def link_code(self) -> str | None:
        """The code of the first link; None where there is none, or somebody has used it."""
        return next((code for code, until in self._links.items() if until is None), None)

    @property
    def cookie_value(self) -> str:
        """What the cookie holds: derived from the token, so that it outlives the server and does not tell the token."""
        return hmac.new((self._token or "").encode(), b"mirilla cookie", hashlib.sha256).hexdigest()

    def new_code(self) -> str:
        """The code of one more link, good for `LINK_SECONDS`."""
        code = secrets.token_urlsafe(24)
        made = [known for known, until in self._links.items() if until is not None]
        for oldest in made[: max(0, len(made) - MOST_LINKS + 1)]:
            del self._links[oldest]
        self._links[code] = self._clock() + LINK_SECONDS
        return code

    def takes_token(self, token: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    def takes_code(self, code: str) -> bool:
        """Whether a link's code is good; it never is again."""
        if code not in self._links:
            return False
        until = self._links.pop(code)
        return until is None or self._clock() < until

    def admits(self, authorization: str, cookies: str) -> bool:
        """Whether a request with these headers may pass."""
        if self._token is None:
            return True
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and self.takes_token(token.strip()):
            return True
        jar = SimpleCookie()
        try:
            jar.load(cookies)
        except CookieError:
            return False
        cookie = jar.get(COOKIE)
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.cookie_value.encode())
