"""What real servers refuse or serve instead of video: one line that names the mend, and never the password."""

from __future__ import annotations

import base64
import traceback
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.errors import SourceError
from stream.sources import SourceOptions, open_source
from tests.stream.sources.clips import make_clip
from tests.stream.sources.network_peers import FileServer, RtspServer, free_port

QUICK = SourceOptions(connect_seconds=5, lost_after_seconds=1)


@pytest.fixture(scope="module")
def protected_camera(rtsp_python: Path) -> Iterator[RtspServer]:
    """Lets in `viewer` with the password `sesame`."""
    with RtspServer(rtsp_python, "sesame").start() as camera:
        yield camera


def test_rtsp_asks_for_the_right_password(protected_camera: RtspServer) -> None:
    address = protected_camera.address.replace("//", "//viewer:sesame@")
    with open_source(address, QUICK) as source:
        assert next(iter(source)).size_wh == (160, 120)
        assert "sesame" not in repr(source.info)


@pytest.mark.parametrize(
    ("user", "path", "message"),
    [
        ("viewer:sesamy@", "cam", r"wants another user name or password \(401\); put USER:PASSWORD@ before the host"),
        ("", "cam", r"wants another user name or password \(401\)"),
        ("viewer:sesame@", "attic", r"has nothing at this path \(404\); check the path"),
    ],
)
def test_what_an_rtsp_server_refuses_is_said_without_the_password(
    user: str, path: str, message: str, protected_camera: RtspServer
) -> None:
    address = protected_camera.address.replace("//", f"//{user}").replace("/cam", f"/{path}")
    with pytest.raises(SourceError, match=message) as caught:
        open_source(address, QUICK)
    assert "sesam" not in "".join(traceback.format_exception(caught.value))


@pytest.fixture(scope="module")
def website(film: Path, ffmpeg: Path) -> Iterator[FileServer]:
    """A web page, a text, a sound, half a film, and something for members only."""
    folder = film.parent
    (folder / "index.html").write_text("<html><body>Hello</body></html>" * 100, encoding="utf-8")
    (folder / "notes.txt").write_text("just words\n" * 100, encoding="utf-8")
    (folder / "empty.mp4").touch()
    (folder / "half.mp4").write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    (folder / "evil.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{film}\n#EXT-X-ENDLIST\n", encoding="utf-8")
    make_clip(ffmpeg, folder / "sound.wav", graph="sine=d=0.1")
    with FileServer(folder).start() as server:
        yield server


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://HOST/index.html", "answers, but with no video that libav knows"),
        ("http://HOST/notes.txt", "answers, but with no video that libav knows"),
        ("http://HOST/empty.mp4", "answers, but with no video that libav knows"),
        ("http://HOST/sound.wav", r"has no picture that can be decoded \(only audio\)"),
        ("http://HOST/gone.mp4", r"has nothing at this path \(404\)"),
        # a playlist that points to a file of this machine
        ("http://HOST/evil.m3u8", "source: "),
        # nobody listens
        ("http://u:sesame@127.0.0.1:CLOSED/", "refuses the connection; check the port"),
        ("rtsp://u:sesame@127.0.0.1:CLOSED/", "refuses the connection; check the port"),
        # a name that no resolver may know (RFC 6761)
        ("rtsp://u:sesame@camera.invalid/live", r"has a host name that nobody knows \(camera.invalid\)"),
        ("http://u:sesame@camera.invalid/live", r"has a host name that nobody knows \(camera.invalid\)"),
        # what the user wrote is no address that can work
        ("rtps://u:sesame@host/live", "rtps:// is no protocol that Mirilla reads; did you mean rtsps or rtsp?"),
        ("gopher://u:sesame@host/live", "give one of rtsp, rtsps, http, https, or a path"),
        ("rtsp://u:ses/ame@host/live", "write %2F for /"),
        ("http://[u:sesame@host/live", "source: "),
        ("rtsp://", "names no host; write rtsp://HOST/PATH"),
        ("http://u:sesame@", "names no host"),
    ],
)
def test_what_is_wrong_with_an_address_is_one_line_without_its_password(
    address: str, message: str, website: FileServer
) -> None:
    address = address.replace("HOST", f"127.0.0.1:{website.port}").replace("CLOSED", str(free_port()))
    with pytest.raises(SourceError, match=message) as caught:
        open_source(address, QUICK)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert "sesame" not in "".join(traceback.format_exception(caught.value))


def test_half_a_file_says_so_after_its_last_picture(website: FileServer) -> None:
    source = open_source(f"http://127.0.0.1:{website.port}/half.mp4", QUICK)
    with pytest.raises(SourceError, match=r"half\.mp4' broke off: .* after \d\d frames; check the file"):
        deque(source, maxlen=0)


def test_http_asks_for_the_right_password(film: Path) -> None:
    with FileServer(film.parent).start() as server:
        server.password = base64.b64encode(b"viewer:open sesame").decode()
        for user, is_let_in in (("viewer:open%20sesame", True), ("viewer:sesamy", False)):
            address = f"http://{user}@127.0.0.1:{server.port}/film.mp4"
            if is_let_in:
                assert len(list(open_source(address, QUICK))) == 75
            else:
                with pytest.raises(SourceError, match=r"wants another user name or password \(401\)"):
                    open_source(address, QUICK)
