"""Who may come in: a token in the header, a link that works once, or the cookie that either of them sets."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from http.cookies import CookieError, SimpleCookie

COOKIE = "mirilla"
LEAST_TOKEN_LENGTH = 16


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Access:
    """The token of a server, and what is derived from it."""

    def __init__(self, token: str | None) -> None:
        """Make the first link.

        Args:
            token: what has to be shown; None lets everybody in who can reach the server.
        """
        self._token = token
        self._link_codes = {secrets.token_urlsafe(24)} if token is not None else set[str]()

    @property
    def is_open(self) -> bool:
        """Whether nothing has to be shown."""
        return self._token is None

    @property
    def link_code(self) -> str | None:
        """The code of a link that nobody has used yet; None where there is none."""
        return next(iter(self._link_codes), None)

    @property
    def cookie_value(self) -> str:
        """What the cookie holds: derived from the token, so that it outlives the server and does not tell the token."""
        return hmac.new((self._token or "").encode(), b"mirilla cookie", hashlib.sha256).hexdigest()

    def takes_token(self, token: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    def takes_code(self, code: str) -> bool:
        """Whether a link's code is good; it never is again."""
        if code not in self._link_codes:
            return False
        self._link_codes.discard(code)
        return True

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
