"""From capture to the screen of a browser on the same machine, read off the watermarks of the pictures that are shown.

The server, Chromium and the page's own work share the machine's cores. `rendered` is the moment for which the browser
expects the picture on the screen, or the one at which the page has read its pixels, whichever is later.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from playwright.sync_api import Browser, sync_playwright
from rich.table import Table

from stream.cell_strip import HEAD, SURE_BLACK, SURE_WHITE, TAIL, cell_count
from tests.benchmarks.viewers import server
from tests.models.stand_in_packages import detector_package

SIZE_WH = (640, 480)
RATE = 30
SETTLE_SECONDS = 4
MEASURED_SECONDS = 15
STRIP_PX, TIME_BITS, CHECK_BITS = 10, 42, 14
"""Of `stream.watermark` in a picture of this height."""

MEASURE = """
async ({ seconds, strip, cells, head, tail, timeBits, black, white }) => {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, strip];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const read = () => {
    context.drawImage(video, 0, 0, video.videoWidth, strip, 0, 0, video.videoWidth, strip);
    const row = context.getImageData(0, strip >> 1, video.videoWidth, 1).data;
    const bits = [];
    for (let cell = 0; cell < cells; cell++) {
      const level = row[4 * Math.floor(((cell + 0.5) * video.videoWidth) / cells) + 1];
      if (level > black && level < white) return null;
      bits.push(Number(level >= white));
    }
    const [begin, end] = [bits.slice(0, head.length), bits.slice(-tail.length)];
    if (begin.join() !== head.join() || end.join() !== tail.join()) return null;
    return bits.slice(head.length, head.length + timeBits).reduce((value, bit) => 2 * value + bit, 0);
  };
  const received = async () => {
    const report = await window.connections.at(-1).getStats();
    return [...report.values()].find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
  };
  const before = await received();
  const latencies = [];
  let [unread, first, last] = [0, null, null];
  await new Promise((resolve) => {
    const shown = (_, metadata) => {
      first ??= metadata;
      last = metadata;
      const captured = read();
      const rendered = performance.timeOrigin + Math.max(performance.now(), metadata.expectedDisplayTime);
      if (captured === null) unread++;
      else latencies.push(rendered - captured);
      if (metadata.presentationTime - first.presentationTime < 1000 * seconds) video.requestVideoFrameCallback(shown);
      else resolve();
    };
    video.requestVideoFrameCallback(shown);
  });
  const after = await received();
  const span = (last.presentationTime - first.presentationTime) / 1000;
  const statsSpan = (after.timestamp - before.timestamp) / 1000;
  return {
    latencies,
    unread,
    shown: (last.presentedFrames - first.presentedFrames) / span,
    received: (after.framesReceived - before.framesReceived) / statsSpan,
    dropped: after.framesDropped - before.framesDropped,
  };
}
"""

REMEMBER = """
window.connections = [];
const Connection = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Connection {
  constructor(...settings) {
    super(...settings);
    window.connections.push(this);
  }
};
"""


class Seen(NamedTuple):
    """What the browser made of the stream."""

    latencies: list[float]
    unread: int
    shown: float
    received: float
    dropped: int


def run(folder: Path) -> Table:
    """Watch a stream whose picture the server draws, and one on which the page does, one after the other."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("glass-to-glass: Chromium is not installed")
    boxes = [(4 + 12 * place, 20, 14 + 12 * place, 44, 0.9 - 0.1 * place, place % 2) for place in range(5)]
    detector_package(folder / "boxes", boxes)
    table = Table("boxes are drawn by", "received", "shown", "p50", "p95", "p99", "worst", "dropped", "unread")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        for who, overlay in (("the server", {}), ("the page", {"browser": True})):
            seen = _watched(browser, _config(folder, overlay))
            ranks = [f"{value:.1f} ms" for value in np.percentile(seen.latencies, (50, 95, 99, 100))]
            rates = (f"{seen.received:.1f}", f"{seen.shown:.1f}")
            table.add_row(who, *rates, *ranks, str(seen.dropped), str(seen.unread))
        browser.close()
    return table


def _config(folder: Path, overlay: dict[str, Any]) -> Path:
    width, height = SIZE_WH
    stream = {
        "source": f"pattern:{width}x{height}@{RATE}x100000",
        "models": [str(folder / "boxes")],
        "sinks": ["null"],
        "overlay": {"hud": False, "watermark": True, **overlay},
    }
    path = folder / "glass.yaml"
    path.write_text(yaml.safe_dump({"streams": {"glass": stream}}), encoding="utf-8")
    return path


def _watched(browser: Browser, config: Path) -> Seen:
    with server([sys.executable, "-m", "stream", "serve", str(config), "--port"]) as (_, port):
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.add_init_script(REMEMBER)
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator(".stream[data-state=live]").wait_for(timeout=20_000)
        page.wait_for_timeout(1000 * SETTLE_SECONDS)
        given = {
            "seconds": MEASURED_SECONDS,
            "strip": STRIP_PX,
            "cells": cell_count(TIME_BITS + CHECK_BITS),
            "head": HEAD,
            "tail": TAIL,
            "timeBits": TIME_BITS,
            "black": SURE_BLACK,
            "white": SURE_WHITE,
        }
        found = page.evaluate(MEASURE, given)
        page.close()
    return Seen(**found)
