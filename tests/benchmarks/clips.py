"""The clips that benchmarks run on: real video where the test data is there, a test picture where it is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def make_clip(folder: Path, *, seconds: int) -> Path:
    """A 1280x720 clip of 30 frames a second with sound, H.264 and AAC, in a folder."""
    path = folder / f"clip-{seconds}s.mp4"
    data = os.environ.get("MIRILLA_TEST_DATA")
    people = Path(data or "") / "video" / "one-by-one-person-detection.mp4"
    if data and people.is_file():
        picture = ["-stream_loop", "-1", "-i", str(people)]
    else:
        picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"]
    command = ["ffmpeg", "-v", "error", *picture, "-f", "lavfi", "-i", "sine=frequency=440", "-t", str(seconds)]
    command += ["-vf", "scale=1280:720:flags=bicubic,setsar=1,fps=30", "-map", "0:v", "-map", "1:a"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return path
