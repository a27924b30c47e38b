"""A real server, and what tests of its page read off a real browser."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from stream.sources.pattern import read_pattern_index

ROOT = Path(__file__).parent.parent.parent
WAIT_MS = 20_000

GRAB = """
() => {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}
"""


class Server:
    """A `mirilla serve` in a process of its own."""

    def __init__(self, *arguments: object, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "stream", "serve", "--port", str(port), *map(str, arguments)]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline()

    def captured(self) -> int:
        """Frames so far of the first stream."""
        with urllib.request.urlopen(f"{self.url}api/streams", timeout=10) as response:
            count: int = json.load(response)[0]["figures"]["captured"]
        return count

    def end(self) -> int:
        """As Ctrl-C does; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=10)


Serve = Callable[..., Server]


def wait_for(page: Page, state: str) -> None:
    page.locator(f".stream[data-state={state}]").first.wait_for(timeout=WAIT_MS)


def grabbed(page: Page) -> NDArray[np.uint8]:
    """What the page shows at this moment."""
    data = np.frombuffer(base64.b64decode(page.evaluate(GRAB)), np.uint8)
    picture: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)


def index_shown(page: Page) -> int:
    """The number of the frame that the page shows, when it shows one."""
    end = time.monotonic() + WAIT_MS / 1000
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0")
    while (index := read_pattern_index(grabbed(page))) is None:
        assert time.monotonic() < end, "no frame's number can be read"
        page.wait_for_timeout(50)
    return index


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
