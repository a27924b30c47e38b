"""Processor time of a server of live video: one shared encoder, beside one encode for each viewer.

The viewers are aiortc receivers that do not decode, in a process of their own. Linux alone tells the times.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from tests.benchmarks.clips import make_clip

SHARED = (0, 1, 4, 16, 40)
EACH = (1, 4)
"""aiortc's own way would need more than two cores for more."""

SETTLE_SECONDS = 2.0
MEASURED_SECONDS = 6.0


def run(folder: Path) -> Table:
    """Measure both ways with a growing number of viewers, and tabulate."""
    clip = make_clip(folder, seconds=20)
    table = Table("way", "viewers", "cores", "a further viewer", "pictures a second", "kbit/s")
    serve = [sys.executable, "-m", "stream", "serve", "--model", "none", "--no-hud", "--source"]
    measure(table, "one shared encoder", [*serve, str(clip), "--port"], f"/whep/{clip.stem}", SHARED)
    each = [sys.executable, "-m", "tests.benchmarks.encode_each", str(clip)]
    measure(table, "aiortc: one encode a viewer", each, "/whep/clip", EACH)
    return table


def measure(table: Table, way: str, command: Sequence[str], path: str, counts: Sequence[int]) -> None:
    """Add a row for each number of viewers; the port is appended to the command."""
    first: tuple[int, float] | None = None
    with server(command) as (pid, port):
        for count in counts:
            got = with_viewers(pid, f"http://127.0.0.1:{port}{path}", count)
            # The first viewer is the one that brings the encoder.
            further = f"{(got.cores - first[1]) / (count - first[0]):.3f}" if first else ""
            first = (count, got.cores) if count and first is None else first
            received = (f"{got.pictures:.1f}", f"{got.kbit:.0f}") if count else ("", "")
            table.add_row(way, str(count), f"{got.cores:.2f}", further, *received)


@contextmanager
def server(command: Sequence[str]) -> Iterator[tuple[int, int]]:
    """A server on a free port, when it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(10)


class Received(NamedTuple):
    """Cores that the server takes, and what each viewer gets in a second."""

    cores: float
    pictures: float = 0.0
    kbit: float = 0.0


def with_viewers(pid: int, url: str, count: int) -> Received:
    """Let so many watch, and measure."""
    if not count:
        time.sleep(SETTLE_SECONDS)
        return Received(cores_of(pid))
    command = [sys.executable, "-m", "tests.stream.web.whep_peer", url, "--viewers", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peers:
        assert peers.stdin is not None
        assert peers.stdout is not None
        assert peers.stdout.readline() == "connected\n"
        time.sleep(SETTLE_SECONDS)
        peers.stdin.write("from now on\n")
        peers.stdin.flush()
        cores = cores_of(pid)
        peers.stdin.close()
        line = peers.stdout.readline()
    received = json.loads(line)
    return Received(cores, received["pictures_per_second"], received["kbit_per_second"])


def cores_of(pid: int) -> float:
    """Processor seconds a second of a process, over the measured while."""
    began, before = time.monotonic(), cpu_seconds(pid)
    time.sleep(MEASURED_SECONDS)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far; proc(5), fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
