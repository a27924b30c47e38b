"""What the tests of sinks feed in, and how ffprobe and ffmpeg see what came out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.frame import AudioTrack, Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.sinks import Sink, make_sink

Image = NDArray[np.uint8]


def describe(
    width: int = 64,
    height: int = 48,
    rate: Fraction | None = Fraction(25),
    time_base: Fraction = Fraction(1, 12800),
    audio: AudioTrack | None = None,
) -> SourceInfo:
    """A source of pictures that are built by code."""
    return SourceInfo("built.mp4", width, height, rate, time_base, audio=audio)


def grey(info: SourceInfo, level: int) -> Image:
    """One grey picture of the source's size."""
    return np.full((info.height, info.width, 3), level % 256, np.uint8)


def moment(image: Image, pts: int, time_base: Fraction, index: int = 0) -> FrameResult:
    """A frame at a time, of which no model said anything."""
    return FrameResult(Frame(image, pts, time_base, index, captured_at_ns=0))


def write_frames(sink: Sink, info: SourceInfo, pts: Iterable[int]) -> None:
    """Write one grey step a time stamp to an open sink."""
    for index, ticks in enumerate(pts):
        image = grey(info, index * 10)
        sink.write(image, moment(image, ticks, info.time_base, index))


def record(path: Path, info: SourceInfo, pts: Iterable[int]) -> Path:
    """A whole file with one grey step a time stamp."""
    sink = make_sink(str(path))
    sink.open(info)
    write_frames(sink, info, pts)
    sink.close()
    assert sink.paths() == [str(path)]
    return path


@dataclass(frozen=True)
class Judge:
    """ffprobe and ffmpeg, the independent readers of what was written."""

    ffmpeg: Path
    ffprobe: Path

    def make(self, path: Path, *arguments: str) -> Path:
        """Let ffmpeg write a file."""
        subprocess.run([self.ffmpeg, "-v", "error", "-y", *arguments, path], check=True)
        return path

    def streams(self, path: Path, kind: str = "v") -> list[dict[str, Any]]:
        """The streams of a kind (`v`, `a`) as ffprobe tells them; frames are counted by decoding."""
        found = self._probe(path, kind, "-count_frames", "-show_streams")["streams"]
        assert isinstance(found, list)
        return found

    def times(self, path: Path, kind: str = "v") -> list[Fraction]:
        """Presentation times of a stream's packets in seconds, exact."""
        found = self._probe(path, kind, "-show_entries", "stream=time_base:packet=pts")
        time_base = Fraction(found["streams"][0]["time_base"])
        return [packet["pts"] * time_base for packet in found["packets"]]

    def packets(self, path: Path, kind: str = "v") -> list[dict[str, Any]]:
        """A stream's packets."""
        found = self._probe(path, kind, "-show_packets")["packets"]
        assert isinstance(found, list)
        return found

    def duration_seconds(self, path: Path) -> float:
        """The length that a player shows."""
        return float(self._probe(path, "v", "-show_format")["format"]["duration"])

    def pictures(self, path: Path, width: int, height: int) -> NDArray[np.uint8]:
        """Every picture of a video, RGB (N, H, W, 3), decoded and converted by ffmpeg as the file's tags say."""
        command: list[str | Path] = [
            self.ffmpeg,
            "-v",
            "error",
            "-i",
            path,
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
        ]
        # accurate_rnd: ffmpeg's quick conversion is off by several levels.
        scale = ["-pix_fmt", "rgb24", "-sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp", "-"]
        raw = subprocess.run([*command, *scale], check=True, capture_output=True).stdout
        return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)

    def audio_md5(self, path: Path) -> str:
        """A checksum of the audio packets' bytes."""
        command: list[str | Path] = [
            self.ffmpeg,
            "-v",
            "error",
            "-i",
            path,
            "-map",
            "0:a",
            "-c",
            "copy",
            "-f",
            "md5",
            "-",
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _probe(self, path: Path, kind: str, *arguments: str) -> dict[str, Any]:
        command: list[str | Path] = [
            self.ffprobe,
            "-v",
            "error",
            "-select_streams",
            kind,
            "-of",
            "json",
            *arguments,
            path,
        ]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert isinstance(found, dict)
        return found
