"""What a `--source` text that names a place on the disk stands for; asked by the kinds of source that read files."""

from __future__ import annotations

from pathlib import Path

BUILT_IN_WORDS = frozenset({"pattern", "doodles", "whip"})
"""Sources that need no file. A file of such a name is reached as `./pattern`, one called by a number as `./0`."""

STILL_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif", ".heic", ".heif"}
)
"""Endings of files that hold one picture, in lower case. A `.gif` moves, so it is a video."""


VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv"}
    | {".3gp", ".ogv", ".mxf", ".y4m", ".h264", ".hevc", ".m2v", ".mjpeg", ".asf", ".vob", ".apng"}
)
"""Endings that say video: such a file is ours whatever is in it, so that the message can say what is wrong."""


def existing_path(text: str) -> Path | None:
    """The file or folder that a text names, `~` expanded, or None where there is none or it means something else."""
    if not text.strip() or text in BUILT_IN_WORDS or text.isdecimal():
        return None
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):  # a name longer than the file system takes; `~` of an unknown user
        return None


def is_still_name(path: Path) -> bool:
    """Whether a file's ending says that it holds one picture."""
    return path.suffix.lower() in STILL_SUFFIXES


def is_video_name(path: Path) -> bool:
    """Whether a file's ending says that it holds video."""
    return path.suffix.lower() in VIDEO_SUFFIXES
