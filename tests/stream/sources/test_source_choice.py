"""Which kind of source a `--source` text means: never more than one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SourceError
from stream.sources import open_source, source_kinds
from tests.stream.sources.clips import H264, make_clip

WEBCAM = "webcam (0, 1, /dev/video0, webcam:NAME)"


def kinds_that_accept(text: str) -> list[str]:
    return [kind.name for kind in source_kinds() if kind.accepts(text)]


@pytest.fixture(scope="module")
def one_of_everything(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of file, under fitting, misleading and meaningless names."""
    folder = tmp_path_factory.mktemp("place")
    clip = make_clip(ffmpeg, folder / "clip.mp4", *H264).read_bytes()
    moving = make_clip(ffmpeg, folder / "moves.GIF").read_bytes()
    picture = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    make_clip(ffmpeg, folder / "sound.wav", graph="sine=d=0.1")
    contents = {
        "clip.xyz": clip,
        "clip": clip,
        "moves.xyz": moving,
        "notes.txt": b"just words\n" * 30,
        "empty.xyz": b"",
    }
    contents |= dict.fromkeys(("a.png", "a.JPG", "a.xyz", "wrong.mp4", "pattern", "0"), picture)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.mp4").mkdir()
    return folder


@pytest.fixture
def place(one_of_everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in that folder."""
    monkeypatch.chdir(one_of_everything)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip.mp4", ["video file"]),
        ("./clip.mp4", ["video file"]),
        # an ending that says nothing: libav is asked
        ("clip.xyz", ["video file"]),
        ("clip", ["video file"]),
        ("moves.GIF", ["video file"]),
        ("moves.xyz", ["video file"]),
        # sound is claimed, so that the message can say that it has no picture
        ("sound.wav", ["video file"]),
        ("a.png", ["image"]),
        ("a.JPG", ["image"]),
        ("a.xyz", ["image"]),
        # the ending decides who says what is wrong
        ("wrong.mp4", ["video file"]),
        (".", ["folder of images"]),
        ("folder.mp4", ["folder of images"]),
        # built-in words win over files of that name, which are reached by a path
        ("pattern", ["pattern"]),
        ("./pattern", ["image"]),
        ("pattern:640x480", ["pattern"]),
        ("0", [WEBCAM]),
        ("./0", ["image"]),
        # a camera is claimed whether it is there or not, so that the message can name those that are
        ("7:640x480@15", [WEBCAM]),
        ("/dev/video7", [WEBCAM]),
        ("webcam:nobody's", [WEBCAM]),
        # nobody's
        ("notes.txt", []),
        ("empty.xyz", []),
        ("gone.mp4", []),
        ("gone.png", []),
        ("", []),
        ("  ", []),
        ("x" * 5000, []),
        ("~nobody-of-this-name/clip.mp4", []),
        # addresses, also of protocols that nobody reads: one kind says what is wrong
        ("http://127.0.0.1:9/clip.mp4", ["network (rtsp://, http://)"]),
        ("rtsp://cam.local/live", ["network (rtsp://, http://)"]),
        ("gopher://cam.local/live", ["network (rtsp://, http://)"]),
        ("http:/clip.mp4", []),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_text_means_one_kind_at_most(text: str, expected: list[str]) -> None:
    assert kinds_that_accept(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gone.mp4", "'gone.mp4' does not exist; give a path that does"),
        ("notes.txt", "'notes.txt' is no kind of source that Mirilla knows"),
    ],
)
@pytest.mark.usefixtures("place")
def test_what_is_nobodys_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(text)
