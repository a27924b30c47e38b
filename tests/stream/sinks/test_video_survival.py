"""What was written plays, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks import make_sink, video
from tests.stream.sinks.recording import Judge, describe, grey, moment, write_frames

ROOT = Path(__file__).parents[3]

RECORDER = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from stream.frame import AudioTrack, Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.sinks import make_sink

target, rate, step, sound = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
audio = AudioTrack(Path(sound), 0, "aac") if sound else None
time_base = Fraction(1, 1000)
info = SourceInfo("built", 160, 120, Fraction(rate) if rate else None, time_base, audio=audio)
sink = make_sink(target)
sink.open(info)
noise = np.random.default_rng(0).integers(0, 255, (64, 120, 160, 3), np.uint8)
for index in range(1_000_000):
    image = noise[index % 64]
    sink.write(image, FrameResult(Frame(image, index * step, time_base, index, 0)))
    print(index * step / 1000, flush=True)
"""

FULL_DISK = """
import resource, signal, sys
from stream.errors import SinkError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
known = {}
try:
    exec(sys.argv.pop(), known)
except SinkError as error:
    known["sink"].close()
    known["sink"].close()
    print("error:", error)
"""
"""Runs the recorder under a limit that acts as a full disk does, and closes twice."""


@pytest.mark.parametrize(
    ("ending", "rate", "step_ms", "has_sound"),
    [
        ("mp4", "30", 33, True),  # the encoder looks ahead, and holds frames back for it
        ("mkv", "30", 33, True),
        ("mp4", "30", 33, False),
        ("mp4", "", 40, True),  # no declared rate
        ("mp4", "2", 500, False),  # slow: few frames are half a second already
        ("mkv", "2", 500, False),
    ],
)
def test_after_kill_9_all_but_the_last_two_seconds_play(
    ending: str, rate: str, step_ms: int, has_sound: bool, tmp_path: Path, judge: Judge
) -> None:
    sound = ""
    if has_sound:
        tone = ("-f", "lavfi", "-i", "sine=440:d=60:r=8000", "-c:a", "aac", "-b:a", "16k")
        sound = str(judge.make(tmp_path / "tone.m4a", *tone))
    command = [sys.executable, "-c", RECORDER, str(tmp_path / f"out.{ending}"), rate, str(step_ms), sound]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        for line in recorder.stdout:
            if float(line) >= 7:
                recorder.send_signal(signal.SIGKILL)
                break
        # What was said between the last line read and the end; the very last line may be cut.
        said = [line, *recorder.stdout.read().splitlines(keepends=True)]
    written_seconds = float([text for text in said if text.endswith("\n")][-1])

    partial = tmp_path / f"out.partial.{ending}"
    assert not (tmp_path / f"out.{ending}").exists()
    assert judge.times(partial)[-1] >= written_seconds - 2
    assert len(judge.pictures(partial, 160, 120)) == len(judge.times(partial))
    if has_sound:
        assert judge.times(partial, "a")[-1] >= written_seconds - 2


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_disk_that_takes_no_more_is_one_error_and_what_was_written_plays(
    ending: str, tmp_path: Path, judge: Judge
) -> None:
    target, partial = tmp_path / f"out.{ending}", tmp_path / f"out.partial.{ending}"
    command = [sys.executable, "-c", FULL_DISK, str(target), "30", "33", "", RECORDER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == (
        f"error: sink: {target}: the file is larger than is allowed there; write elsewhere or record less; "
        f"what was written until then stands in {partial}"
    )
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [partial.name]
    frames = subprocess.run(
        [judge.ffmpeg, "-v", "quiet", "-i", partial, "-f", "rawvideo", "-"], capture_output=True, check=False
    ).stdout
    assert len(frames) >= 10 * 160 * 120 * 3 // 2


def test_a_recording_that_cannot_be_finished_stays_and_is_named(
    tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_recorded: Path, whole: Path, **_layout: int) -> None:
        whole.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(video, "write_faststart", no_space)
    info = describe()
    sink = make_sink(str(tmp_path / "out.mp4"))
    sink.open(info)
    write_frames(sink, info, [i * 512 for i in range(30)])
    partial = tmp_path / "out.partial.mp4"
    with pytest.raises(SinkError, match=f"the disk is full; free some space .* stands in {partial}"):
        sink.close()
    sink.close()
    assert sink.paths() == []
    assert [path.name for path in tmp_path.iterdir()] == [partial.name]
    assert judge.streams(partial)[0]["nb_read_frames"] == "30"


def test_writing_to_a_closed_sink_is_an_error(tmp_path: Path) -> None:
    info = describe()
    sink = make_sink(str(tmp_path / "out.mp4"))
    sink.open(info)
    sink.close()
    with pytest.raises(SinkError, match="not open"):
        sink.write(grey(info, 0), moment(grey(info, 0), 0, info.time_base))
