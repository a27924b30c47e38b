"""Runs the command as a user does: a process of its own, its output, its exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

Mirilla = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mirilla(tmp_path: Path) -> Mirilla:
    """`mirilla(*arguments)`, run in an empty folder; two minutes at most."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stream", *map(str, arguments)]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment, check=False
        )

    return call


@pytest.fixture
def clip(tmp_path: Path, ffmpeg: Path) -> Path:
    """Two seconds of 160x120 at 25 frames a second with a tone."""
    path = tmp_path / "clip.mp4"
    command = [
        str(ffmpeg),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x120:rate=25:duration=2",
        "-f",
        "lavfi",
    ]
    command += ["-i", "sine=frequency=440:duration=2", "-c:v", "libx264", "-c:a", "aac", "-shortest", str(path)]
    subprocess.run(command, check=True)
    return path
