"""A clip that Chromium takes for a camera: a moving picture whose frames are numbered along the upper border."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np

from stream.cell_strip import draw_cells

SIZE_WH = (640, 480)
RATE = 30
FRAMES = 120
"""Then it begins again."""
NUMBER_BITS = 7
STRIP_PX = 24
MARK = np.s_[200:280, :40]
"""Dark, at the left border, so that left can be told from right."""


def make_camera(path: Path, ffmpeg: Path) -> Path:
    """Write the clip as Y4M, the one kind of file that Chromium plays as a camera."""
    width, height = SIZE_WH
    command = [str(ffmpeg), "-v", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}"]
    command += ["-r", str(RATE), "-i", "-", "-pix_fmt", "yuv420p", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for number in range(FRAMES):
            image = np.full((height, width, 3), 235, np.uint8)
            # Something drawn, so that the sketch models have something to say.
            centre = (width // 2 + round(60 * np.sin(number / 10)), height // 2)
            cv2.circle(image, centre, 110, (20, 20, 20), 7, cv2.LINE_AA)
            image[MARK] = 20
            draw_cells(image[:STRIP_PX], [number >> bit & 1 for bit in reversed(range(NUMBER_BITS))])
            encoder.stdin.write(image.tobytes())
    return path
