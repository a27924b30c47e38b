"""Small clips made by ffmpeg, and what ffmpeg and ffprobe say is in them: the judges of the sources' tests."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def make_clip(ffmpeg: Path, path: Path, *options: str, graph: str = "testsrc2=s=64x48:r=10:d=1") -> Path:
    """Encode what a filter graph draws; further inputs may stand among the options."""
    subprocess.run([ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", graph, *options, path], check=True)
    return path


def decoded_by_ffmpeg(ffmpeg: Path, path: Path, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """All frames as ffmpeg shows them: (N, H, W, 3), BGR, turned by its own autorotation."""
    command: list[str | Path] = [
        ffmpeg,
        "-v",
        "error",
        "-i",
        path,
        "-vsync",
        "0",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-",
    ]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(output, np.uint8).reshape(-1, size_wh[1], size_wh[0], 3)


def probed(ffprobe: Path, path: Path, *options: str) -> dict[str, Any]:
    """What ffprobe says of the first video stream."""
    command: list[str | Path] = [
        ffprobe,
        "-v",
        "error",
        "-select_streams",
        "v:0",
        *options,
        "-show_streams",
        "-of",
        "json",
        path,
    ]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer


def cut_short(path: Path, share: float) -> Path:
    """A copy that ends after a share of the bytes."""
    whole = path.read_bytes()
    copy = path.with_stem(f"{path.stem}_cut")
    copy.write_bytes(whole[: int(len(whole) * share)])
    return copy


def largest_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """The largest distance between two pictures' values."""
    assert first.shape == second.shape
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Insert an APP1 segment with one EXIF entry (tag 0x0112, one SHORT), big-endian."""
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    body = b"Exif\0\0" + b"MM\0*" + struct.pack(">I", 8) + entry + struct.pack(">I", 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
