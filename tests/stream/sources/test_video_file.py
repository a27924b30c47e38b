"""Frames of recorded video come complete, in order, and at the times that the container gives them."""

from __future__ import annotations

import gc
import itertools
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.frame import AudioTrack
from stream.sources import open_source
from stream.sources.video_file import VideoFileSource
from tests.stream.sources.clips import H264, largest_difference, make_clip, probed

VFR = "testsrc2=s=64x48:r=20:d=2,select='not(mod(n,3))+gt(n,30)'"


@pytest.mark.parametrize(
    ("name", "graph", "options"),
    [
        # B-frames: decoded in another order than shown
        ("b_frames.mp4", "testsrc2=s=64x48:r=10:d=1", ("-c:v", "libx264", "-bf", "3")),
        # a variable frame rate stays one
        ("vfr.mp4", VFR, ("-vsync", "vfr", *H264)),
        ("vfr.mkv", VFR, ("-vsync", "vfr", *H264)),
        # 29.97: ticks that are no whole milliseconds
        ("ntsc.mov", "testsrc2=s=64x48:r=30000/1001:d=1", H264),
        # the first timestamp of a transport stream is not 0
        ("late.ts", "testsrc2=s=64x48:r=25:d=1", ("-c:v", "mpeg2video", "-bf", "2")),
        ("vp9.webm", "testsrc2=s=64x48:r=10:d=1", ("-c:v", "libvpx-vp9", "-cpu-used", "8")),
        ("moves.gif", "testsrc2=s=64x48:r=10:d=1", ()),
        ("fragmented.mp4", "testsrc2=s=64x48:r=10:d=1", (*H264, "-g", "4", "-movflags", "frag_keyframe+empty_moov")),
        # portrait, odd sides
        ("portrait.mkv", "testsrc2=s=33x65:r=10:d=1", ("-c:v", "ffv1", "-pix_fmt", "yuv444p")),
    ],
)
def test_frames_and_times_are_those_of_ffprobe(
    ffmpeg: Path, ffprobe: Path, tmp_path: Path, name: str, graph: str, options: tuple[str, ...]
) -> None:
    path = make_clip(ffmpeg, tmp_path / name, *options, graph=graph)
    answer = probed(ffprobe, path, "-show_frames")
    stream = answer["streams"][0]
    with open_source(path) as source:
        frames = list(source)
    assert [frame.pts for frame in frames] == [frame["best_effort_timestamp"] for frame in answer["frames"]]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert {frame.time_base for frame in frames} == {source.info.time_base} == {Fraction(stream["time_base"])}
    assert {frame.size_wh for frame in frames} == {(source.info.width, source.info.height)}
    assert (source.info.width, source.info.height) == (stream["width"], stream["height"])


@pytest.mark.parametrize(
    ("name", "options", "expected_pts"),
    [
        # AVI stores no presentation times, and its B-frames come two late: libav's guess, one tick of 1/10 s a frame
        ("b_frames.avi", ("-c:v", "mpeg4", "-bf", "2"), list(range(1, 11))),
        # a raw stream has no times at all: counted by the rate in its header, ticks of 1/1200000 s
        ("raw.h264", ("-c:v", "libx264", "-bf", "2"), list(range(0, 1_200_000, 120_000))),
    ],
)
def test_times_that_the_file_lacks_are_derived(
    ffmpeg: Path, tmp_path: Path, name: str, options: tuple[str, ...], expected_pts: list[int]
) -> None:
    path = make_clip(ffmpeg, tmp_path / name, *options)
    assert [frame.pts for frame in open_source(path)] == expected_pts


def test_info_says_what_the_container_declares(ffmpeg: Path, tmp_path: Path) -> None:
    sound = ("-f", "lavfi", "-i", "sine=d=1", "-map", "1:a", "-map", "0:v", "-c:a", "aac")
    path = make_clip(ffmpeg, tmp_path / "sound.mp4", *sound, *H264)
    info = open_source(path).info
    assert (info.name, info.rate, info.frame_count, info.is_live) == ("sound.mp4", Fraction(10), 10, False)
    assert info.audio == AudioTrack(path, 0, "aac")


@pytest.mark.parametrize(
    ("name", "graph", "rate", "frame_count"),
    [
        # all frames are listed, at no constant rate: 40 frames, of which every third up to the 30th, and all after it
        ("vfr.mp4", VFR, None, 20),
        # two fields a picture are no variable rate
        ("fields.mp4", "testsrc2=s=64x48:r=50:d=1,interlace", Fraction(25), 25),
        # Matroska does not count: 1 s at 10 frames a second
        ("constant.mkv", "testsrc2=s=64x48:r=10:d=1", Fraction(10), 10),
    ],
)
def test_rate_and_count_are_claimed_only_where_known(
    ffmpeg: Path, tmp_path: Path, name: str, graph: str, rate: Fraction | None, frame_count: int
) -> None:
    info = open_source(make_clip(ffmpeg, tmp_path / name, "-vsync", "vfr", *H264, graph=graph)).info
    assert (info.rate, info.frame_count, info.audio) == (rate, frame_count, None)


def test_a_trimmed_copy_counts_and_gives_only_what_is_shown(ffmpeg: Path, tmp_path: Path) -> None:
    """Cut without encoding, a file keeps packets from before its start, to be decoded and not shown."""
    whole = make_clip(ffmpeg, tmp_path / "whole.mp4", *H264, "-g", "50", graph="testsrc2=s=64x48:r=10:d=3")
    trimmed = tmp_path / "trimmed.mp4"
    make_clip(ffmpeg, trimmed, "-ss", "1.3", "-i", str(whole), "-map", "1:v", "-c", "copy")
    source = open_source(trimmed)
    frames = list(source)
    assert len(frames) == source.info.frame_count == 17
    assert frames[0].pts == 0


def test_capture_times_come_from_the_given_clock(ffmpeg: Path, tmp_path: Path) -> None:
    path = make_clip(ffmpeg, tmp_path / "a.mp4", *H264)
    ticks = itertools.count(1_000, 7)
    frames = list(VideoFileSource(path, clock_ns=lambda: next(ticks)))
    assert [frame.captured_at_ns for frame in frames] == [1_000 + 7 * index for index in range(10)]


def test_images_are_contiguous_and_read_only(ffmpeg: Path, tmp_path: Path) -> None:
    path = make_clip(ffmpeg, tmp_path / "a.mkv", "-c:v", "ffv1", graph="testsrc2=s=35x21:r=10:d=0.2")
    for frame in open_source(path):
        assert frame.image.flags.c_contiguous
        assert not frame.image.flags.writeable


def test_a_frame_outlives_its_source(ffmpeg: Path, tmp_path: Path) -> None:
    path = make_clip(ffmpeg, tmp_path / "a.mp4", *H264)
    first = next(iter(open_source(path)))
    before = first.image.copy()
    for frame in open_source(path):
        del frame
    assert np.array_equal(first.image, before)


class TestClose:
    def test_from_another_thread_ends_the_iteration(self, ffmpeg: Path, tmp_path: Path) -> None:
        source = open_source(make_clip(ffmpeg, tmp_path / "a.mp4", *H264))
        seen = []
        for frame in source:
            seen.append(frame.index)
            if frame.index == 3:
                closer = threading.Thread(target=source.close)
                closer.start()
                closer.join()
        assert seen == [0, 1, 2, 3]

    def test_while_another_thread_decodes_does_not_crash(self, ffmpeg: Path, tmp_path: Path) -> None:
        path = make_clip(ffmpeg, tmp_path / "a.mp4", *H264, graph="testsrc2=s=640x480:r=30:d=2")
        for _ in range(10):
            source = open_source(path)
            began = threading.Event()
            problems: list[Exception] = []
            reader = threading.Thread(target=_read_all, args=(source, began, problems))
            reader.start()
            began.wait()
            source.close()
            reader.join()
            assert problems == []

    def test_twice_or_before_reading_is_fine(self, ffmpeg: Path, tmp_path: Path) -> None:
        source = open_source(make_clip(ffmpeg, tmp_path / "a.mp4", *H264))
        source.close()
        source.close()
        assert list(source) == []


def _read_all(source: VideoFileSource, began: threading.Event, problems: list[Exception]) -> None:
    try:
        for _ in source:
            began.set()
    except Exception as error:
        problems.append(error)
    finally:
        began.set()


def test_a_change_of_size_is_scaled_to_the_first_size(ffmpeg: Path, ffprobe: Path, tmp_path: Path) -> None:
    mpeg = ("-c:v", "mpeg2video", "-q:v", "1")
    large = make_clip(ffmpeg, tmp_path / "1.ts", *mpeg, graph="color=red:s=64x48:r=25:d=0.4")
    small = make_clip(ffmpeg, tmp_path / "2.ts", *mpeg, graph="color=blue:s=32x32:r=25:d=0.4")
    both = tmp_path / "both.ts"
    both.write_bytes(large.read_bytes() + small.read_bytes())
    frames = list(open_source(both))
    sizes = [(frame["width"], frame["height"]) for frame in probed(ffprobe, both, "-show_frames")["frames"]]
    assert set(sizes) == {(64, 48), (32, 32)}
    assert [frame.size_wh for frame in frames] == [(64, 48)] * len(sizes)
    blue = np.full((48, 64, 3), (255, 0, 0), np.uint8)
    assert largest_difference(frames[-1].image, blue) <= 4


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("car-detection.mp4", 377),
        ("one-by-one-person-detection.mp4", 1394),
        ("store-aisle-detection.gif", 67),
    ],
)
def test_real_recordings_come_complete(test_data: Path, ffprobe: Path, name: str, frames: int) -> None:
    path = test_data / "video" / name
    answer = probed(ffprobe, path, "-show_entries", "packet=pts")
    pts = [frame.pts for frame in open_source(path)]
    assert len(pts) == frames
    assert pts == sorted(packet["pts"] for packet in answer["packets"])


def test_a_home_directory_is_expanded(ffmpeg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(ffmpeg, tmp_path / "a.mp4", *H264)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert len(list(open_source("~/a.mp4"))) == 10


def test_a_name_that_looks_like_an_address_is_a_file(
    ffmpeg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(ffmpeg, tmp_path / "a.mp4", *H264).rename(tmp_path / "udp:%03d.MP4")
    monkeypatch.chdir(tmp_path)
    assert len(list(open_source("udp:%03d.MP4"))) == 10


def test_pictures_do_not_wait_for_the_garbage_collector(ffmpeg: Path, tmp_path: Path) -> None:
    """A film's pictures are large: one that is let go has to be free at once, and a closed file with it."""
    path = make_clip(ffmpeg, tmp_path / "a.mp4", *H264)
    for _ in open_source(path):  # what libraries build once, on first use
        pass
    gc.collect()
    gc.disable()
    try:
        for _ in open_source(path):
            pass
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [kind for kind in map(type, gc.garbage) if kind in (av.VideoFrame, VideoFileSource)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert len(left) <= 1  # the first frame of all, which was asked for its orientation
