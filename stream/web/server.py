"""The server's thread: an event loop with uvicorn and all connections, from `start` to `stop`."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from stream.errors import ConfigError
from stream.web.certificate import Certificate
from stream.web.offer import LARGEST_SDP_BYTES
from stream.web.prompt_protocol import PromptProtocol

_START_SECONDS = 10.0
_GRACE_SECONDS = 1
"""How long a request that is being answered may take at the end."""

_STOP_SECONDS = 5.0
_PING_SECONDS = 5.0


class WebServer:
    """Answers on one address; `stop` may be called from any thread."""

    def __init__(self, host: str, port: int, certificate: Certificate | None = None) -> None:
        """Take the address.

        Args:
            host: an address of this machine.
            port: 0 takes any that is free.
            certificate: what the page is encrypted with; None leaves it unencrypted.

        Raises:
            ConfigError: the address is none of this machine, or is taken.
        """
        self._socket = _listening(host, port)
        self.host = host
        self.certificate = certificate
        self.port: int = self._socket.getsockname()[1]
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop of the server's thread, while it runs."""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: ASGIApp) -> None:
        """Answer from now on.

        Raises:
            ConfigError: the server did not come up.
        """
        config = uvicorn.Config(
            app,
            http=PromptProtocol,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=LARGEST_SDP_BYTES,
            # Who has gone without a word is let go as quickly as a viewer.
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            # Strokes are small, and what is compressed may be large when it is not.
            ws_per_message_deflate=False,
            # Whoever stands behind a proxy would else choose the address that is counted.
            proxy_headers=False,
            limit_concurrency=500,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=None if self.certificate is None else self.certificate.cert_path,
            ssl_keyfile=None if self.certificate is None else str(self.certificate.key_path),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, args=(self._server,), name="mirilla-web", daemon=True)
        self._thread.start()
        server = self._server
        if not _wait_until(lambda: server.started, self._thread):
            raise ConfigError(f"web: the server did not come up on {self.host}:{self.port}; see --debug")

    def stop(self) -> None:
        """Say goodbye to everybody and end the thread; waits for it, for a bounded time."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def _serve(self, server: uvicorn.Server) -> None:
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            runner.run(server.serve(sockets=[self._socket]))
        self.loop = None


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"web.host: {host!r} is no address ({error.strerror}); try 127.0.0.1") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConfigError(f"web.port: {host}:{port} cannot be taken ({error.strerror}); choose another port") from error
    return listening


def _wait_until(is_so: Callable[[], bool], thread: threading.Thread) -> bool:
    # uvicorn tells nobody when it is up.
    for _ in range(int(_START_SECONDS * 100)):
        if is_so():
            return True
        thread.join(0.01)
        if not thread.is_alive():
            return False
    return False
