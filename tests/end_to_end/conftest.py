"""Runs the command as a user does: a process of its own, its output, its exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.end_to_end.pages import ROOT, Serve, Server, free_port

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


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve(*arguments, port=...)`: a server that answers; without a port, on a free one."""
    with ExitStack() as servers:

        def start(*arguments: object, port: int | None = None) -> Server:
            server = Server(*arguments, port=port or free_port(), folder=tmp_path)
            servers.callback(server.process.wait)
            servers.callback(server.process.kill)
            return server

        yield start


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose errors fail the test."""
    context = browser.new_context(viewport={"width": 1000, "height": 800}, locale="en-GB")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
