"""`make benchmark`, or `python -m tests.benchmarks [NAME ...]`: runs the benchmarks and prints their tables."""

from __future__ import annotations

import argparse
import inspect
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import onnxruntime
from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    backgrounds,
    budget,
    carrying,
    decoding,
    end_to_end,
    glass_to_glass,
    live_lag,
    live_soak,
    memory,
    overlays,
    own_camera,
    pointing,
    recorded_video,
    segmenting,
    sketchpad,
    skip_unchanged,
    streams,
    viewers,
    visitors,
)

BENCHMARKS: dict[str, Callable[..., Table]] = {
    "recorded-video": recorded_video.run,
    "overlays": overlays.run,
    "backgrounds": backgrounds.run,
    "budget": budget.run,
    "decoding": decoding.run,
    "end-to-end": end_to_end.run,
    "memory": memory.run,
    "live-lag": live_lag.run,
    "live-soak": live_soak.run,
    "carrying": carrying.run,
    "segmenting": segmenting.run,
    "pointing": pointing.run,
    "sketchpad": sketchpad.run,
    "skip-unchanged": skip_unchanged.run,
    "streams": streams.run,
    "viewers": viewers.run,
    "own-camera": own_camera.run,
    "visitors": visitors.run,
    "glass-to-glass": glass_to_glass.run,
}
"""Each takes a folder for its files; one that goes on for a while takes minutes, too."""


def main(arguments: list[str]) -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--minutes", type=float, help="how long those run that go on for a while")
    chosen = parser.parse_args(arguments)
    console = Console(width=120)
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, Python {platform.python_version()}, "
        f"ONNX Runtime {onnxruntime.__version__}",
        highlight=False,
    )
    for name in chosen.names or list(BENCHMARKS):
        benchmark = BENCHMARKS[name]
        takes_minutes = chosen.minutes is not None and "minutes" in inspect.signature(benchmark).parameters
        options = {"minutes": chosen.minutes} if takes_minutes else {}
        console.print(f"\n{name}: python -m tests.benchmarks {name}", highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            console.print(benchmark(Path(folder), **options))


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
