"""A real TURN server on this machine's own address: Debian's coturn, in a process of its own, for tests."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from stream.web.machine import reachable_host

SECRET = "a secret that coturn knows"
REALM = "mirilla.test"
STATIC_USER, STATIC_PASSWORD = "someone", "a-password"


class TurnServer(NamedTuple):
    """Where it listens, and what it has written."""

    url: str
    log: Path

    def sessions(self) -> int:
        """How many allocations it has made."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("ALLOCATE processed, success")


@contextmanager
def turn_server(program: Path, folder: Path, *, with_secret: bool = True) -> Iterator[TurnServer]:
    """Run one: with credentials made of `SECRET`, or with the one fixed user."""
    host = reachable_host("0.0.0.0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    log = folder / "turn.log"
    accounts = (
        ["--use-auth-secret", f"--static-auth-secret={SECRET}"]
        if with_secret
        else ["--lt-cred-mech", f"--user={STATIC_USER}:{STATIC_PASSWORD}"]
    )
    command = [
        *(str(program), "-n", "--no-cli", "--no-tls", "--no-dtls", "--verbose", f"--realm={REALM}"),
        *(f"--listening-ip={host}", f"--relay-ip={host}", f"--listening-port={port}"),
        *(f"--log-file={log}", "--simple-log", f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}"),
        *accounts,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        _wait_for(host, port)
        yield TurnServer(f"turn:{host}:{port}?transport=udp", log)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(host: str, port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as line:
            if line.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("coturn did not come up")
