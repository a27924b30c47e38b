"""What we write plays in a real browser: Chromium shows the picture, knows the length, and can seek."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.end_to_end.conftest import Mirilla

PAGE = '<video id="video" src="seen.mp4" muted></video>'

# Seeks, waits for the picture, and reads the middle pixel: [width, height, duration, [r, g, b] of each moment].
SCRIPT = """
async (moments) => {
  const video = document.getElementById("video");
  await new Promise((ready, failed) => {
    video.onerror = () => failed(video.error.message);
    if (video.readyState >= 2) ready(); else video.onloadeddata = ready;
  });
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  const colours = [];
  for (const moment of moments) {
    await new Promise((done) => { video.onseeked = done; video.currentTime = moment; });
    context.drawImage(video, 0, 0);
    colours.push([...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3));
  }
  return [video.videoWidth, video.videoHeight, video.duration, colours];
}
"""


def test_chromium_plays_an_annotated_video_with_its_colours(
    mirilla: Mirilla, ffmpeg: Path, chromium: Path, tmp_path: Path
) -> None:
    import subprocess

    # A second of red, a second of green, a second of blue, 25 frames a second.
    colours = [f"color=c={colour}:size=640x360:rate=25:duration=1" for colour in ("0xff0000", "0x00ff00", "0x0000ff")]
    command = [str(ffmpeg), "-v", "error"]
    for colour in colours:
        command += ["-f", "lavfi", "-i", colour]
    command += ["-filter_complex", "concat=n=3", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(tmp_path / "rgb.mp4")]
    subprocess.run(command, check=True)
    result = mirilla("run", "--source", "rgb.mp4", "--model", "none", "--no-hud", "--sink", "seen.mp4")
    assert result.returncode == 0, result.stderr

    page_file = tmp_path / "page.html"
    page_file.write_text(PAGE, encoding="utf-8")
    arguments = ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=arguments)
        try:
            page = browser.new_page()
            page.goto(page_file.as_uri())
            width, height, duration, seen = page.evaluate(SCRIPT, [0.5, 1.5, 2.5])
        finally:
            browser.close()
    assert (width, height) == (640, 360)
    assert duration == pytest.approx(3.0, abs=0.04)
    for colour, expected in zip(seen, ([255, 0, 0], [0, 255, 0], [0, 0, 255]), strict=True):
        assert colour == pytest.approx(expected, abs=12)
