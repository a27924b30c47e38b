"""Peak memory of a run over a minute and over ten minutes of the same video: it must not grow with the length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.table import Table

from tests.benchmarks.clips import make_clip

_PROGRAM = """
import resource, sys
from stream.cli import app
app(["run", "--quiet", "--source", sys.argv[1], "--sink", sys.argv[2]], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def run(folder: Path) -> Table:
    """Run the command in a process of its own for each length."""
    table = Table("clip", "peak memory", "beside")
    first_mb: float | None = None
    for seconds in (60, 600):
        clip = make_clip(folder, seconds=seconds)
        command = [sys.executable, "-c", _PROGRAM, str(clip), str(folder / f"seen-{seconds}.mp4")]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        # Linux counts in KiB.
        peak_mb = int(result.stdout.split()[-1]) / 1024
        beside = "" if first_mb is None else f"{peak_mb - first_mb:+.0f} MB"
        first_mb = peak_mb if first_mb is None else first_mb
        table.add_row(f"{seconds} s, 1280x720", f"{peak_mb:.0f} MB", beside)
    return table
