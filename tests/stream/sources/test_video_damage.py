"""What is wrong with a file is said before its first frame, or after the last one that could be decoded."""

from __future__ import annotations

import errno
import itertools
import logging
import os
from pathlib import Path

import av
import av.error
import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import open_source
from stream.sources.libav import libav_errors
from stream.sources.video_file import VideoFileSource
from tests.stream.sources.clips import H264, cut_short, make_clip

LONG = "testsrc2=s=128x96:r=25:d=4"
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
SOUND = ("-f", "lavfi", "-i", "sine=d=4", "-ar", "44100")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (av.error.FileNotFoundError(errno.ENOENT, "No such file"), "'a.mp4' does not exist; give a path that does"),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
        (av.error.IsADirectoryError(errno.EISDIR, "Is a directory"), "is a folder"),
        (av.error.InvalidDataError(1094995529, "Invalid data found"), "is cut short or no video at all"),
        (av.error.EOFError(541478725, "End of file"), "is cut short or no video at all"),
        # everything else keeps libav's own words
        (av.error.OSError(errno.EIO, "Input/output error"), r"cannot be read \(Input/output error\)"),
    ],
)
def test_libavs_errors_become_ours(error: av.FFmpegError, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught, libav_errors(Path("a.mp4")):
        raise error
    assert caught.value.__cause__ is error


class TestCutShort:
    @pytest.mark.parametrize(
        ("name", "options", "promise"),
        [
            # the index stands first and lists 100 packets
            ("a.mp4", (*H264, "-c:a", "aac", "-movflags", "faststart"), "it promises 100"),
            # the index stands in every fragment, and the last one is not whole
            ("fragments.mp4", (*H264, "-g", "25", "-movflags", "frag_keyframe+empty_moov"), "it promises 75"),
            # no index, but a duration: 4 s
            ("a.mkv", (*H264, "-c:a", "libvorbis"), "of the 4.0 s"),
            ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"), "of the 4.0 s"),
            ("a.flv", ("-c:v", "flv"), "of the 4.0 s"),
            # the index stands last; the header counts 100 frames (ffmpeg writes one more)
            ("a.avi", ("-c:v", "mpeg4"), "it promises 10"),
        ],
    )
    def test_everything_before_the_cut_comes_then_an_error(
        self, ffmpeg: Path, tmp_path: Path, name: str, options: tuple[str, ...], promise: str
    ) -> None:
        whole = make_clip(ffmpeg, tmp_path / name, *SOUND, *options, graph=LONG)
        expected = list(open_source(whole))
        assert len(expected) == 100
        frames: list[Frame] = []
        source = open_source(cut_short(whole, 0.6))
        with pytest.raises(SourceError, match=promise) as caught:
            frames.extend(source)  # list.extend keeps what came before the error
        assert 30 < len(frames) < 90
        assert f"broke after {len(frames)} frames" in str(caught.value)
        for frame, same in zip(frames[:-1], expected, strict=False):  # the last packet may itself be cut
            assert frame.pts == same.pts
            assert np.array_equal(frame.image, same.image)

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            # sound that goes on after the picture: nothing is missing
            ("sound.mkv", ("-f", "lavfi", "-i", "sine=d=3", *H264, "-c:a", "libvorbis")),
            ("sound.mp4", ("-f", "lavfi", "-i", "sine=d=3", *H264, "-c:a", "aac")),
            # a picture that goes on after the sound
            ("picture.mkv", ("-f", "lavfi", "-i", "sine=d=0.2", *H264, "-c:a", "libvorbis")),
        ],
    )
    def test_a_whole_file_is_not_suspected(
        self, ffmpeg: Path, tmp_path: Path, name: str, options: tuple[str, ...]
    ) -> None:
        path = make_clip(ffmpeg, tmp_path / name, *options)
        assert len(list(open_source(path))) == 10


class TestDamaged:
    @pytest.fixture
    def damaged(self, ffmpeg: Path, tmp_path: Path) -> Path:
        """100 frames, of which one in the middle is overwritten; all else is whole."""
        options = ("-c:v", "mjpeg", "-q:v", "3")
        path = make_clip(ffmpeg, tmp_path / "a.mkv", *options, graph=LONG)
        data = bytearray(path.read_bytes())
        start = data.index(JPEG_START, len(data) // 2)
        end = data.index(JPEG_END, start)
        data[start:end] = bytes(end - start)
        path.write_bytes(data)
        return path

    def test_packets_are_skipped_and_counted(self, damaged: Path, caplog: pytest.LogCaptureFixture) -> None:
        source = VideoFileSource(damaged)
        with caplog.at_level(logging.WARNING):
            frames = list(source)
        assert (len(frames), source.damaged_packets) == (99, 1)
        assert "skipped 1 damaged packet" in caplog.text

    def test_times_keep_a_gap_where_a_frame_is_missing(self, damaged: Path) -> None:
        frames = list(open_source(damaged))
        gaps = {second.pts - first.pts for first, second in itertools.pairwise(frames)}
        assert gaps == {40, 80}  # in milliseconds: 25 frames a second, and one of them missing
        assert [frame.index for frame in frames] == list(range(99))


class TestRefusedBeforeTheFirstFrame:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("empty.mp4", b"", r"empty\.mp4' is empty \(0 bytes\)"),
            ("text.mp4", b"not a video, just words\n" * 40, r"text\.mp4' is cut short or no video"),
            ("one_byte.mkv", b"\0", r"one_byte\.mkv' is cut short or no video"),
            ("text.GIF", b"not a video, just words\n" * 40, r"text\.GIF' is cut short or no video"),
        ],
    )
    def test_files_that_are_no_video(self, tmp_path: Path, name: str, content: bytes, message: str) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceError, match=message) as caught:
            open_source(path)
        assert "\n" not in str(caught.value)

    def test_an_mp4_without_its_index(self, ffmpeg: Path, tmp_path: Path) -> None:
        """The moov atom stands last unless asked otherwise: a recording that was cut off has none."""
        path = cut_short(make_clip(ffmpeg, tmp_path / "a.mp4", *H264), 0.6)
        with pytest.raises(SourceError, match=r"a_cut\.mp4' is cut short"):
            open_source(path)

    @pytest.mark.parametrize("name", ["sound.mp4", "sound.wav", "sound.m4a"])
    def test_sound_only(self, ffmpeg: Path, tmp_path: Path, name: str) -> None:
        path = make_clip(ffmpeg, tmp_path / name, graph="sine=d=0.3")
        with pytest.raises(SourceError, match="has no picture"):
            open_source(path)

    def test_sound_with_a_cover_picture(self, ffmpeg: Path, tmp_path: Path) -> None:
        """A cover is a video stream to libav; it is no film."""
        cover = make_clip(ffmpeg, tmp_path / "cover.png", "-frames:v", "1")
        options = ("-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
        path = make_clip(ffmpeg, tmp_path / "song.m4a", *options, graph="sine=d=0.3")
        with pytest.raises(SourceError, match="has no picture"):
            open_source(path)

    def test_a_header_without_frames(self, ffmpeg: Path, tmp_path: Path) -> None:
        """A recording that was stopped before its first frame."""
        data = make_clip(ffmpeg, tmp_path / "a.mkv", "-c:v", "mjpeg").read_bytes()
        path = tmp_path / "header.mkv"
        path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])  # Matroska's first cluster begins here
        with pytest.raises(SourceError, match=r"header\.mkv' cannot be read"):
            open_source(path)

    def test_frames_of_which_none_decodes(self, ffmpeg: Path, tmp_path: Path) -> None:
        path = make_clip(ffmpeg, tmp_path / "a.mkv", "-c:v", "mjpeg", "-frames:v", "1")
        data = path.read_bytes()
        start = data.index(JPEG_START)
        path.write_bytes(data[:start] + bytes(data.index(JPEG_END) - start) + data[data.index(JPEG_END) :])
        with pytest.raises(SourceError, match=r"has no frame that can be decoded \(mjpeg\)"):
            open_source(path)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"gone\.mp4' does not exist"):
            VideoFileSource(tmp_path / "gone.mp4")

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
    @pytest.mark.parametrize("name", ["locked.mp4", "locked.unknown"])
    def test_a_file_that_may_not_be_read(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(b"secret")
        path.chmod(0)
        with pytest.raises(SourceError, match="permission denied"):
            open_source(path)

    def test_after_a_refusal_the_mended_file_opens(self, ffmpeg: Path, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(b"")
        with pytest.raises(SourceError):
            open_source(path)
        make_clip(ffmpeg, path, *H264)
        assert len(list(open_source(path))) == 10
