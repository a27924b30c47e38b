"""A server in this process, as `mirilla serve` runs it, and ways to speak to it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stream.config import check_settings
from stream.web.serve import Serving, serving

ROOT = Path(__file__).parent.parent.parent.parent
PATTERN = "pattern:160x120@30x100000"

Serve = Callable[..., "Client"]


class Answer(NamedTuple):
    """Status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Speaks HTTP to a server."""

    def __init__(self, now: Serving) -> None:
        self.now = now
        self.port = now.server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Answer:
        """Send a request; a `_` in a header's name stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            answer = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, answer, response.read())
        finally:
            connection.close()

    def streams(self, **headers: str) -> list[dict[str, Any]]:
        """What the page lists."""
        status, _, body = self.ask("GET", "/api/streams", None, **headers)
        assert status == 200
        listed: list[dict[str, Any]] = json.loads(body)
        return listed


class PeerProcess:
    """A process whose connections stand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def leave(self) -> dict[str, Any]:
        """Let it go, and hear what it received."""
        output, _ = self.process.communicate(timeout=20)
        received: dict[str, Any] = json.loads(output)
        return received


@contextmanager
def peer_process(*command: str) -> Iterator[PeerProcess]:
    """Start a peer, by the interpreter of this process where the command begins with a module's name."""
    program = command if command[0].startswith("/") else (sys.executable, "-m", *command)
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            assert said == "connected", said
            yield PeerProcess(process)
        finally:
            process.kill()


def wait_until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what other processes bring about."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def running(web: dict[str, Any] | None = None, **streams: dict[str, Any]) -> Iterator[Client]:
    """A server with these streams, or with a test picture called `pattern`."""
    streams = streams or {"pattern": {"source": PATTERN}}
    bare = {"sinks": ["null"], "overlay": {"hud": False}}
    content = {
        "streams": {name: {**bare, **stream} for name, stream in streams.items()},
        "web": {"port": 0, **(web or {})},
    }
    with serving(check_settings(content, "test")) as now:
        yield Client(now)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(web={...}, **streams)`: a server that runs until the end of the test."""
    with ExitStack() as servers:
        yield lambda web=None, **streams: servers.enter_context(running(web, **streams))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server for those tests of a module that leave it as it was."""
    with running() as shared:
        yield shared
