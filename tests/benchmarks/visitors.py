"""Visitors that come and go, and one that asks a thousand times a second: what a server keeps of them.

The viewers are aiortc receivers that do not decode, in processes of their own; a part of them says goodbye, the others
are killed. Linux alone tells threads, open files and memory.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from tests.benchmarks.viewers import cpu_seconds, server

VISITORS = 200
AT_ONCE = 10
"""Visitors of one process; every third process is killed, and says no goodbye."""

SOURCE = "pattern:640x360@30x1000000"
GONE_SECONDS = 15.0
FLOOD_SECONDS = 5.0
REQUESTS_PER_SECOND = 1000


class Kept(NamedTuple):
    """What a process holds at a moment."""

    threads: int
    files: int
    sockets: int
    memory_mb: float
    viewers: int
    frames: int
    cpu_seconds: float
    at: float


def run(folder: Path, minutes: float = 5.0) -> Table:  # noqa: ARG001 - nothing is written
    """Let them come over so many minutes, then flood the server, and tabulate what it held before and after each."""
    table = Table("moment", "threads", "open files", "sockets", "memory", "viewers", "output a second", "cores")
    with server([sys.executable, "-m", "stream", "serve", "--model", "none", "--source", SOURCE, "--port"]) as where:
        pid, port = where
        # The first visitors bring the encoder and its libraries, which stay.
        visit(port, AT_ONCE, is_polite=True)
        wait_until_alone(port)
        before = kept(pid, port)
        rounds = VISITORS // AT_ONCE
        add_row(table, "before", before)
        began, most = time.monotonic(), 0
        for number in range(rounds):
            if number == rounds // 2:
                wait_until_alone(port)
                add_row(table, f"after {VISITORS // 2} visitors", kept(pid, port))
            most = max(most, visit(port, AT_ONCE, is_polite=number % 3 != 2))
            time.sleep(max(0.0, began + 60 * minutes * (number + 1) / rounds - time.monotonic()))
        during = kept(pid, port)
        took = time.monotonic() - began
        seconds = wait_until_alone(port)
        after = kept(pid, port)
        add_row(table, f"after {VISITORS} visitors in {took / 60:.1f} minutes", after, (before, during))
        again = kept(pid, port)
        answers = flood(port)
        flooded = kept(pid, port)
        add_row(table, f"after {REQUESTS_PER_SECOND} requests a second", flooded, (again, flooded))
    statuses = answers["statuses"]
    table.caption = (
        f"at most {most} at a time; the last had gone {seconds:.1f} s after the last of them left; of "
        f"{sum(statuses.values())} requests in {FLOOD_SECONDS:.0f} s {statuses.get('200', 0)} were answered and "
        f"{statuses.get('429', 0)} refused, half of all within {answers['p50_ms']:.0f} ms"
    )
    return table


def add_row(table: Table, moment: str, held: Kept, over: tuple[Kept, Kept] | None = None) -> None:
    """A moment, and the rates over the while before it."""
    rates = ("", "")
    if over is not None:
        first, last = over
        seconds = last.at - first.at
        rates = (
            f"{(last.frames - first.frames) / seconds:.1f}",
            f"{(last.cpu_seconds - first.cpu_seconds) / seconds:.2f}",
        )
    row = (held.threads, held.files, held.sockets, f"{held.memory_mb:.0f} MB", held.viewers)
    table.add_row(moment, *map(str, row), *rates)


def visit(port: int, count: int, *, is_polite: bool) -> int:
    """Let so many watch for two seconds; how many watched then."""
    url = f"http://127.0.0.1:{port}/whep/pattern"
    command = [sys.executable, "-m", "tests.stream.web.whep_peer", url, "--viewers", str(count), "--results"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peers:
        assert peers.stdout is not None
        assert peers.stdout.readline() == "connected\n"
        time.sleep(2)
        watching: int = asked(port, "healthz")["viewers"]
        if is_polite:
            peers.communicate(timeout=20)
        else:
            peers.kill()
    return watching


def wait_until_alone(port: int) -> float:
    """How long it takes until the last viewer has gone, and the files of its connections are closed."""
    began = time.monotonic()
    while asked(port, "healthz")["viewers"]:
        assert time.monotonic() - began < 2 * GONE_SECONDS, "viewers stayed"
        time.sleep(0.1)
    seconds = time.monotonic() - began
    # Connections of our own questions are kept open for ten seconds.
    time.sleep(GONE_SECONDS)
    return seconds


def kept(pid: int, port: int) -> Kept:
    """What the server holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except OSError:
            continue
    figures = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE)}
    sockets = sum(link.startswith("socket:") for link in links)
    frames: int = asked(port, "api/streams")[0]["figures"]["written"]
    viewers: int = asked(port, "healthz")["viewers"]
    memory_mb = figures["VmRSS"] / 1024
    return Kept(figures["Threads"], len(links), sockets, memory_mb, viewers, frames, cpu_seconds(pid), time.monotonic())


def flood(port: int) -> dict[str, Any]:
    """Ask far too often."""
    command = [sys.executable, "-m", "tests.stream.web.flood", str(port), str(REQUESTS_PER_SECOND), str(FLOOD_SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers: dict[str, Any] = json.loads(done.stdout)
    # Until the server has saved enough again to answer us.
    time.sleep(2)
    return answers


def asked(port: int, path: str) -> Any:
    """An answer of the server's."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as response:
        return json.load(response)
