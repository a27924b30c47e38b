"""Stands before every request: who may pass, how large it may be, and what every answer says to browsers.

Plain ASGI around the application (loop's thread), so that nothing is read of a body that is refused.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.web.access import Access, is_loopback
from stream.web.offer import LARGEST_SDP_BYTES
from stream.web.rate_limit import RateLimit

BODY_SECONDS = 5.0
"""How long a client may take for its body."""

PUBLIC_PATHS = frozenset({"/", "/camera", "/draw", "/healthz", "/enter", "/api/session"})
"""What is answered without a token: the pages themselves, which hold nothing, and the ways to come in."""

_PUBLIC_FOLDER = "/static/"

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Lets through what may pass, and closes every other door with a 4xx."""

    def __init__(self, app: ASGIApp, access: Access, host: str, rate_limit: RateLimit) -> None:
        """Stand before an application.

        Args:
            app: what answers.
            access: who may come in.
            host: the address that is listened on.
            rate_limit: how much each address may ask.
        """
        self._app = app
        self._rate_limit = rate_limit
        self._access = access
        self._is_local = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # A handshake has no body; messages are limited by the server, and by who reads them.
            await (self._refusal(scope) or self._app)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            body = await _read_body(receive)
            if isinstance(body, bytes):
                await self._app(scope, _replayed(body, receive), send_guarded)
                return
            refusal = body
        await refusal(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        client = scope.get("client") or ("", 0)
        seconds = self._rate_limit.wait_seconds(client[0], changes=scope.get("method", "GET") not in _READING)
        if seconds:
            refusal = _refused(429, "too many requests; wait as Retry-After says")
            refusal.headers["Retry-After"] = str(seconds)
            return refusal
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._is_local and not _names_loopback(host):
            # Else a page of any site could reach this server under a name that it lets point here (DNS rebinding).
            return _refused(403, f"this server answers to localhost alone, not to {host[:100]!r}")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return _refused(403, "pages of other origins may not use this server")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return _refused(400, "Content-Length is no number")
        if int(length) > LARGEST_SDP_BYTES:
            return _too_large()
        path: str = scope["path"]
        if path in PUBLIC_PATHS or path.startswith(_PUBLIC_FOLDER):
            return None
        if not self._access.admits(headers.get("authorization", ""), headers.get("cookie", "")):
            refusal = _refused(401, "a token is needed: Authorization: Bearer TOKEN, or open the link with the code")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return None


async def _read_body(receive: Receive) -> bytes | JSONResponse:
    """The whole body, or why it is refused."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return _refused(400, "the request broke off")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > LARGEST_SDP_BYTES:
                    return _too_large()
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return _refused(408, "the body took too long")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body once more, then what still comes."""
    left = [body]

    async def replay() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return replay


def _names_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def _refused(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"detail": reason}, status, {"Connection": "close"} if status in (408, 413) else None)


def _too_large() -> JSONResponse:
    return _refused(413, f"the body is larger than {LARGEST_SDP_BYTES} bytes")
