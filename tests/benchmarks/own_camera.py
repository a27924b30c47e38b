"""From a visitor's camera to the same visitor's screen, through the sketch model: Chromium, its camera a file.

The file's frames are numbered. The page notes when the camera gave a frame (`captureTime`), and when the picture with
that number, come back from the server, is due on the screen (`expectedDisplayTime`): one clock, and nothing estimated.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.table import Table

from tests.benchmarks.viewers import server
from tests.end_to_end.fake_camera import FRAMES, NUMBER_BITS, RATE, STRIP_PX, make_camera

SETTLE_SECONDS = 8
"""Chromium begins with few bits and takes more."""

MEASURED_SECONDS = 15
LIMIT_MS = 150

KEEP_STREAM = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wishes) => (window.cameraStream = await ask(wishes));
"""

READ = """
([bits, strip, count]) => {
  const cells = bits + 4;
  const reader = () => {
    const canvas = new OffscreenCanvas(8 * cells, 1).getContext("2d", { willReadFrequently: true });
    return (video) => {
      canvas.drawImage(video, 0, (strip * video.videoHeight) / 1440, video.videoWidth, 1, 0, 0, 8 * cells, 1);
      const { data } = canvas.getImageData(0, 0, 8 * cells, 1);
      const level = (cell) => data[4 * (8 * cell + 4)];
      let number = 0;
      for (let cell = 2; cell < 2 + bits; cell++) number = 2 * number + (level(cell) > 127 ? 1 : 0);
      return level(0) > 127 && level(1) < 127 ? number : null;
    };
  };
  const captured = new Array(count).fill(null);
  window.figures = { latencies: [], shown: 0, unread: 0, unknown: 0 };
  const local = document.createElement("video");
  local.muted = true;
  local.width = 32;
  local.srcObject = window.cameraStream;
  document.body.append(local);
  local.play();
  const readLocal = reader(), readRemote = reader();
  const given = (now, { captureTime }) => {
    local.requestVideoFrameCallback(given);
    const number = readLocal(local);
    if (number !== null) captured[number] = captureTime ?? now;
  };
  local.requestVideoFrameCallback(given);
  const remote = document.querySelector("main video");
  const shown = (_, { expectedDisplayTime }) => {
    remote.requestVideoFrameCallback(shown);
    window.figures.shown++;
    const number = readRemote(remote);
    if (number === null) window.figures.unread++;
    else if (captured[number] === null) window.figures.unknown++;
    else window.figures.latencies.push(expectedDisplayTime - captured[number]);
  };
  remote.requestVideoFrameCallback(shown);
}
"""


def run(folder: Path) -> Table:
    """Watch oneself for a while, and tabulate."""
    ffmpeg, chromium = shutil.which("ffmpeg"), shutil.which("chromium") or shutil.which("google-chrome")
    if ffmpeg is None or chromium is None:
        raise SystemExit("own-camera needs ffmpeg and chromium; install them")
    clip = make_camera(folder / "camera.y4m", Path(ffmpeg))
    table = Table("camera", "model", "shown a second", "p50", "p95", "limit of p95", "frames read")
    serve = [sys.executable, "-m", "stream", "serve", "--source", "pattern:160x120@1x100000"]
    switches = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    for model in ("quickdraw-32", "none"):
        with server([*serve, "--no-hud", "--model", model, "--port"]) as (_, port), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=[*switches, f"--use-file-for-fake-video-capture={clip}"]
            )
            figures = measured(browser.new_page(), f"http://127.0.0.1:{port}/camera")
            browser.close()
        latencies = figures["latencies"]
        p50, p95 = (f"{np.percentile(latencies, share):.0f} ms" for share in (50, 95))
        shown = f"{figures['shown'] / MEASURED_SECONDS:.1f} of {RATE}"
        table.add_row("640x480", model, shown, p50, p95, f"{LIMIT_MS} ms", f"{len(latencies)} of {figures['shown']}")
    return table


def measured(page: Page, url: str) -> dict[str, Any]:
    """What the page saw; all latencies in milliseconds."""
    page.add_init_script(KEEP_STREAM)
    page.goto(url)
    # As the camera sees it: a mirrored number cannot be read.
    page.locator("#mirror").click()
    page.locator("#start").click()
    page.locator("main[data-state=live]").wait_for()
    page.wait_for_timeout(1000 * SETTLE_SECONDS)
    page.evaluate(READ, [NUMBER_BITS, STRIP_PX, FRAMES])
    page.wait_for_timeout(1000 * MEASURED_SECONDS)
    figures: dict[str, Any] = page.evaluate("() => window.figures")
    return figures
