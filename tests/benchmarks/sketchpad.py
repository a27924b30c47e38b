"""How long after a movement of the pen the guess that knows of it is on the screen, in Chromium on this machine.

The page measures it itself: from the time of the oldest pointer event that is new in a guess to the first moment after
the frame in which the guess is painted. Headless Chromium shows 60 pictures a second, and gives movements to pages
once a picture.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.table import Table

from stream.sources.doodle_strokes import DRAWINGS
from tests.benchmarks.viewers import server

MODELS = ("quickdraw-32", "quickdraw-345")
WARM_UP = ("star",)
MEASURED = ("house", "cat")
EVERY = 3
"""Of the drawings' points, which lie closer than those of a hand."""
MOVE_SECONDS = 0.008
"""As a mouse that reports 125 times a second."""

OBSERVE = """
  window.measured = [];
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === "guess") measured.push(duration);
  }).observe({ type: "measure" });
"""


def run(folder: Path) -> Table:
    """Draw some of the built-in drawings with the mouse, for each bundled model."""
    table = Table("model", "movements", "guesses", "p50 ms", "p95 ms", "worst ms", "limit")
    command = [sys.executable, "-m", "stream", "serve", str(_config(folder)), "--port"]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with server(command) as (_, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for model in MODELS:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(OBSERVE)
            page.goto(f"http://127.0.0.1:{port}/draw")
            page.wait_for_function("() => document.getElementById('model').options.length > 0")
            page.locator("#model").select_option(model)
            _draw(page, WARM_UP)
            page.evaluate("() => { measured.length = 0; }")
            movements = _draw(page, MEASURED)
            durations = np.array(page.evaluate("() => measured"))
            p50, p95 = np.percentile(durations, [50, 95])
            cells = (f"{p50:.1f}", f"{p95:.1f}", f"{durations.max():.1f}", "60")
            table.add_row(model, str(movements), str(len(durations)), *cells)
            page.close()
        browser.close()
    return table


def _config(folder: Path) -> Path:
    """A server that shows nothing else."""
    path = folder / "web.yaml"
    path.write_text("streams: {still: {source: 'pattern:64x48@1x100000', sinks: 'null'}}\n", encoding="utf-8")
    return path


def _draw(page: Page, names: Sequence[str]) -> int:
    """Draw drawings, each on a sheet of its own; the number of movements."""
    box: Any = page.locator("#sheet").bounding_box()
    movements = 0
    for strokes in (DRAWINGS[name] for name in names):
        for stroke in strokes:
            places = np.array([box["x"], box["y"]]) + (0.1 + 0.008 * stroke[::EVERY]) * box["width"]
            page.mouse.move(*places[0].tolist())
            page.mouse.down()
            for place in places[1:].tolist():
                page.mouse.move(*place)
                time.sleep(MOVE_SECONDS)
            page.mouse.up()
            movements += len(places) - 1
        page.keyboard.press("c")
    return movements
