"""A recorded video through the command, judged by ffprobe: nothing is lost, moved, turned or invented."""

from __future__ import annotations

import itertools
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import audio_packets, frame_times, probe

HD = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=3", "-f", "lavfi", "-i", "sine=duration=3"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


def constant_rate(ffmpeg: Path, path: Path) -> None:
    subprocess.run([ffmpeg, "-v", "error", *HD, *H264, "-c:a", "aac", path], check=True)


def variable_rate(ffmpeg: Path, path: Path) -> None:
    # Two of every seven frames are left out, and every time is moved by an uneven number of ticks.
    uneven = "settb=1/90000,select='gt(mod(n,7),1)',setpts='PTS+mod(N*N,11)*97'"
    timing = ["-vf", uneven, "-fps_mode", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000"]
    subprocess.run([ffmpeg, "-v", "error", *HD, *timing, *H264, "-c:a", "aac", path], check=True)


def turned(ffmpeg: Path, path: Path) -> None:
    straight = path.with_name("straight.mp4")
    constant_rate(ffmpeg, straight)
    # ffmpeg 5 and 6 know the tag, later ones the option.
    turn = ["-metadata:s:v", "rotate=90"]
    subprocess.run([ffmpeg, "-v", "error", "-i", straight, "-c", "copy", *turn, path], check=True)
    if not probe_rotation(path):
        turn = ["-display_rotation:v", "270"]
        subprocess.run([ffmpeg, "-v", "error", "-y", *turn, "-i", straight, "-c", "copy", path], check=True)


def probe_rotation(path: Path) -> list[Any]:
    streams = probe(path, "-select_streams", "v:0", "-show_entries", "stream_side_data=rotation")["streams"]
    return [data for stream in streams for data in stream.get("side_data_list", []) if data.get("rotation")]


def boxes(path: Path) -> list[str]:
    """The names of an MP4's top-level boxes, in order (ISO/IEC 14496-12, 4.2)."""
    data = path.read_bytes()
    names, offset = [], 0
    while offset < len(data):
        size, name = struct.unpack_from(">I4s", data, offset)
        names.append(name.decode("ascii"))
        offset += size if size > 1 else struct.unpack_from(">Q", data, offset + 8)[0]
    return names


@pytest.mark.usefixtures("ffprobe")
@pytest.mark.parametrize(
    ("make", "size", "is_uneven"),
    [(constant_rate, (1280, 720), False), (variable_rate, (1280, 720), True), (turned, (720, 1280), False)],
)
def test_frames_times_sound_and_orientation_survive(
    make: Any, size: tuple[int, int], is_uneven: bool, mirilla: Mirilla, ffmpeg: Path, tmp_path: Path
) -> None:
    clip, seen = tmp_path / "clip.mp4", tmp_path / "seen.mp4"
    make(ffmpeg, clip)
    result = mirilla("run", "--source", clip, "--sink", seen)
    assert result.returncode == 0, result.stderr

    times = frame_times(clip)
    steps = {round(float(after) - float(before), 3) for before, after in itertools.pairwise(times)}
    assert (len(steps) > 5) == is_uneven  # the clip is what it is meant to be
    assert frame_times(seen) == times
    assert audio_packets(seen) == audio_packets(clip)
    assert len(audio_packets(seen)) > 100
    fields = "stream=codec_name,pix_fmt,width,height"
    video = probe(seen, "-select_streams", "v:0", "-show_entries", fields)["streams"][0]
    assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
    assert (video["width"], video["height"]) == size
    assert not probe_rotation(seen)  # upright by itself, not by a remark for players
    order = boxes(seen)
    assert order.index("moov") < order.index("mdat")
    assert "moof" not in order
