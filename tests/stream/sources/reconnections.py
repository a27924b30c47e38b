"""Loses and regains a stream ninety times, and says what the last forty cost: `python -m ... ADDRESS`.

A process of its own: in one that has run thousands of tests, memory grows and shrinks for other reasons. The first
fifty are for the allocator, which takes memory for each thread that it meets; from there on it stays as it is.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from stream.sources import SourceOptions
from stream.sources.network import NetworkSource

FIRST, LAST = 50, 90
_JOIN_SECONDS = 20.0


def resident_mb() -> float:
    """Memory of this process that is in use, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(address: str) -> None:
    """Say by how many MB the process has grown, and how many reader threads are left."""
    options = SourceOptions(connect_seconds=5, lost_after_seconds=1)
    source = NetworkSource(address, options, wait=lambda _: False)
    before_mb = after_mb = 0.0
    for frame in source:
        assert frame.size_wh == (640, 480)
        if source.status.reconnects == FIRST and not before_mb:
            before_mb = resident_mb()
        if source.status.reconnects == LAST:
            after_mb = resident_mb()
            break
    source.close()
    readers = [thread for thread in threading.enumerate() if thread.name == "mirilla-network"]
    for reader in readers:
        reader.join(_JOIN_SECONDS)
    sys.stdout.write(f"{after_mb - before_mb:.1f} {sum(reader.is_alive() for reader in readers)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
