"""`make benchmark`, or `python -m tests.benchmarks [NAME ...]`: runs the benchmarks and prints their tables."""

from __future__ import annotations

import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import onnxruntime
from rich.console import Console

from tests.benchmarks import memory, recorded_video, segmenting

BENCHMARKS = {"recorded-video": recorded_video.run, "memory": memory.run, "segmenting": segmenting.run}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    console = Console(width=120)
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, Python {platform.python_version()}, "
        f"ONNX Runtime {onnxruntime.__version__}",
        highlight=False,
    )
    for name in names or list(BENCHMARKS):
        console.print(f"\n{name}: python -m tests.benchmarks {name}", highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            console.print(BENCHMARKS[name](Path(folder)))


def machine() -> str:
    """Processor and number of cores, as the system tells them."""
    import os

    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.is_file()
        else []
    )
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main(sys.argv[1:])
