"""What ffprobe says of a file: the independent judge of all that Mirilla writes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def probe(path: Path, *arguments: str) -> Any:
    """Ffprobe's JSON for a file."""
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def frame_times(path: Path) -> list[str]:
    """The presentation time of every video frame, as ffprobe prints it."""
    found = probe(path, "-select_streams", "v:0", "-show_entries", "frame=pts_time")
    return [frame["pts_time"] for frame in found["frames"]]


def audio_packets(path: Path) -> list[tuple[str, str]]:
    """Presentation time and size of every audio packet."""
    found = probe(path, "-select_streams", "a:0", "-show_entries", "packet=pts_time,size")
    return [(packet["pts_time"], packet["size"]) for packet in found["packets"]]
