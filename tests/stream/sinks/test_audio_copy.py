"""The source's sound stands beside the annotated pictures, packet for packet."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import pytest

from stream.frame import AudioTrack, SourceInfo
from stream.sinks import make_sink
from tests.stream.sinks.recording import Judge, describe, grey, moment

PICTURES = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=2"]
SOUND = ["-f", "lavfi", "-i", "sine=440:d=2.4:r=44100"]
"""Longer than the pictures, as recorded files are."""

SOURCES = {
    "aac.mp4": ["-c:v", "mpeg4", "-c:a", "aac"],
    "aac.ts": ["-c:v", "mpeg2video", "-c:a", "aac"],
    "mp3.mkv": ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "ac3.mkv": ["-c:v", "mpeg4", "-c:a", "ac3"],
    "opus.webm": ["-c:v", "libvpx", "-c:a", "libopus"],
    "vorbis.mkv": ["-c:v", "mpeg4", "-c:a", "libvorbis"],
    "pcm.avi": ["-c:v", "mpeg4", "-c:a", "pcm_s16le"],
    "pcm.mov": ["-c:v", "mpeg4", "-c:a", "pcm_s16le"],
}


class Sources:
    """The files of `SOURCES`, each made by ffmpeg when it is first asked for."""

    def __init__(self, folder: Path, judge: Judge) -> None:
        self._folder = folder
        self._judge = judge

    def __getitem__(self, name: str) -> Path:
        path = self._folder / name
        return path if path.exists() else self._judge.make(path, *PICTURES, *SOUND, *SOURCES[name])


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Path, ffprobe: Path) -> Sources:
    return Sources(tmp_path_factory.mktemp("sources"), Judge(ffmpeg, ffprobe))


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["aac.mp4", "aac.ts", "mp3.mkv", "ac3.mkv", "opus.webm"])
def test_packets_are_copied_whole_and_at_their_times(
    name: str, ending: str, sources: Sources, tmp_path: Path, judge: Judge
) -> None:
    source = sources[name]
    written = _annotate(source, tmp_path / f"out.{ending}")
    expected, got = judge.times(source, "a"), judge.times(written, "a")
    if ending == "mkv":
        # Matroska has no times below 0: the codec's run-up there is all that is left out.
        expected = [seconds for seconds in expected if seconds >= 0]
    assert len(got) == len(expected)
    # Matroska counts in ms, as source or as output; between MP4s the copy is exact.
    tolerance = Fraction(0) if (name, ending) == ("aac.mp4", "mp4") else Fraction(1, 1000)
    assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) <= tolerance
    assert judge.times(written)[-1] == pytest.approx(judge.times(source)[-1], abs=0.0006)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("aac.mp4", "mp4"),
        ("mp3.mkv", "mp4"),
        ("ac3.mkv", "mp4"),
        ("opus.webm", "mp4"),
        ("mp3.mkv", "mkv"),
        ("vorbis.mkv", "mkv"),
        ("pcm.avi", "mkv"),
    ],
)
def test_not_a_byte_of_the_sound_changes(
    name: str, ending: str, sources: Sources, tmp_path: Path, judge: Judge
) -> None:
    source = sources[name]
    assert judge.audio_md5(_annotate(source, tmp_path / f"out.{ending}")) == judge.audio_md5(source)


@pytest.mark.parametrize("name", ["vorbis.mkv", "pcm.avi", "pcm.mov"])
def test_what_mp4_cannot_play_becomes_aac_of_the_same_length(
    name: str, sources: Sources, tmp_path: Path, judge: Judge
) -> None:
    source = sources[name]
    written = _annotate(source, tmp_path / "out.mp4")
    (sound,) = judge.streams(written, "a")
    assert (sound["codec_name"], sound["sample_rate"], sound["channels"]) == ("aac", "44100", 1)
    first, last = judge.packets(written, "a")[0], judge.packets(written, "a")[-1]
    # An AAC packet more before the first sound: the encoder's run-up, which the file tells players to skip.
    assert -0.03 < float(first["pts_time"]) <= 0.01
    assert float(last["pts_time"]) + float(last["duration_time"]) == pytest.approx(2.4, abs=0.03)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["aac.mp4", "pcm.mov"])
def test_sound_ends_with_the_pictures_of_a_run_that_ended_early(
    name: str, ending: str, sources: Sources, tmp_path: Path, judge: Judge
) -> None:
    source = sources[name]
    written = _annotate(source, tmp_path / f"out.{ending}", frames=20)
    last = judge.packets(written, "a")[-1]
    end = float(last["pts_time"]) + float(last["duration_time"])
    assert 0.8 <= end <= 0.8 + 1024 / 44100 + 0.001


def test_sound_and_pictures_lie_side_by_side_in_the_file(sources: Sources, tmp_path: Path) -> None:
    source = sources["aac.mp4"]
    written = _annotate(source, tmp_path / "out.mp4")
    with av.open(str(written)) as container:
        seconds = [(p.stream.type, float(p.pts * p.time_base)) for p in container.demux() if p.pts is not None]
    sound = 0.0
    for kind, at in seconds:
        if kind == "audio":
            sound = at
        else:
            assert abs(at - sound) < 0.7  # a fragment's length, and the packet after it


@pytest.mark.parametrize(
    ("name", "stream_index"),
    [
        ("missing.mp4", 1),
        ("aac.mp4", 9),  # no such stream
        ("aac.mp4", 0),  # the pictures
        ("text.mp4", 0),  # no media at all
    ],
)
def test_sound_that_cannot_be_opened_costs_no_picture(
    name: str,
    stream_index: int,
    sources: Sources,
    tmp_path: Path,
    judge: Judge,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "text.mp4").write_text("no media\n" * 100)
    path = sources[name] if name in SOURCES else tmp_path / name
    info = describe(audio=AudioTrack(path, stream_index, "aac"))
    sink = make_sink(str(tmp_path / "out.mp4"))
    sink.open(info)
    sink.write(grey(info, 0), moment(grey(info, 0), 0, info.time_base))
    sink.close()
    assert "the sound is left out" in caplog.text
    assert judge.streams(tmp_path / "out.mp4")[0]["nb_read_frames"] == "1"
    assert judge.streams(tmp_path / "out.mp4", "a") == []


@pytest.mark.parametrize("name", ["aac.mp4", "vorbis.mkv"])
def test_damaged_sound_costs_no_picture(name: str, tmp_path: Path, judge: Judge) -> None:
    source = judge.make(tmp_path / name, *PICTURES, *SOUND, *SOURCES[name])
    data = bytearray(source.read_bytes())
    for packet in judge.packets(source, "a")[20:60]:
        # The first bytes stay: in Matroska they belong to the container.
        start, end = int(packet["pos"]) + 6, int(packet["pos"]) + int(packet["size"])
        data[start:end] = os.urandom(end - start)
    source = tmp_path / name
    source.write_bytes(data)
    written = _annotate(source, tmp_path / "out.mp4")
    assert judge.times(written) == judge.times(source)


def test_a_source_whose_sound_stops_early_is_written_as_it_comes(tmp_path: Path, judge: Judge) -> None:
    short = ["-f", "lavfi", "-i", "sine=440:d=0.3:r=44100"]
    source = judge.make(tmp_path / "short.mp4", *PICTURES, *short, *SOURCES["aac.mp4"])
    written = _annotate(source, tmp_path / "out.mp4")
    assert judge.audio_md5(written) == judge.audio_md5(source)
    assert judge.times(written) == judge.times(source)


def test_sound_that_goes_on_long_after_the_pictures_is_kept(tmp_path: Path, judge: Judge) -> None:
    minute = ["-f", "lavfi", "-i", "sine=440:d=60:r=8000"]
    source = judge.make(tmp_path / "long.mp4", *PICTURES, *minute, *SOURCES["aac.mp4"])
    written = _annotate(source, tmp_path / "out.mp4")
    assert judge.audio_md5(written) == judge.audio_md5(source)


def _annotate(source: Path, target: Path, frames: int | None = None) -> Path:
    """Write a file's frames, or the first so many of them, with its sound."""
    sink = make_sink(str(target))
    with av.open(str(source)) as container:
        pictures, sound = container.streams.video[0], container.streams.audio[0]
        assert pictures.time_base is not None
        track = AudioTrack(source, sound.index, sound.codec.canonical_name)
        info = SourceInfo(source.name, 64, 48, pictures.average_rate, pictures.time_base, audio=track)
        sink.open(info)
        for index, frame in enumerate(container.decode(pictures)):
            if index == frames:
                break
            assert frame.pts is not None
            image = frame.to_ndarray(format="bgr24").astype("uint8", copy=False)
            sink.write(image, moment(image, frame.pts, info.time_base, index))
    sink.close()
    return target
