"""What every test may ask for: the test data, and the outside programs that judge our output.

On a developer's machine what is missing skips its tests with a reason; in CI (`CI=true`) it fails them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says nothing on a machine that does other work too.
settings.register_profile("mirilla", deadline=None)
settings.load_profile("mirilla")


def _need(what: str | None, reason: str) -> Path:
    if what is not None and Path(what).exists():
        return Path(what)
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has all that the tests need, but: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real drawings, images, videos and weights."""
    return _need(os.environ.get("MIRILLA_TEST_DATA"), "MIRILLA_TEST_DATA names no folder of test data")


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    """The ffmpeg program."""
    return _need(shutil.which("ffmpeg"), "ffmpeg is not installed")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium browser, which plays H.264."""
    return _need(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium is not installed")


@pytest.fixture(scope="session")
def coturn() -> Path:
    """The TURN server of the coturn project."""
    return _need(shutil.which("turnserver"), "coturn is not installed")


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.fixture(scope="session")
def rtsp_python() -> Path:
    """A Python that can run tests/stream/sources/rtsp_server.py: the system's, where Debian's bindings are."""
    python = "/usr/bin/python3"
    needed = "for name in ('x264enc', 'vp8enc', 'rtph264pay', 'rtpvp8pay'): assert Gst.ElementFactory.find(name)"
    program = f"""
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
{needed}
"""
    works = Path(python).exists() and not _fails([python, "-c", program])
    return _need(python if works else None, "GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0) is not installed")


@pytest.fixture(scope="session")
def gstreamer_python() -> Path:
    """A Python that can run tests/stream/web/gstreamer_peer.py: the system's, where Debian's bindings are."""
    python = "/usr/bin/python3"
    program = """
import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstWebRTC
Gst.init(None)
for name in ("webrtcbin", "nicesrc", "dtlsdec", "srtpdec", "x264enc", "vp8enc", "avdec_h264"):
    assert Gst.ElementFactory.find(name)
"""
    works = Path(python).exists() and not _fails([python, "-c", program])
    what = "gstreamer1.0-plugins-bad, gstreamer1.0-nice, gstreamer1.0-libav, gir1.2-gst-plugins-bad-1.0"
    return _need(python if works else None, f"GStreamer's WebRTC ({what}) is not installed")


@pytest.fixture(scope="session")
def ffprobe() -> Path:
    """The ffprobe program."""
    return _need(shutil.which("ffprobe"), "ffprobe is not installed")


@pytest.fixture
def screen() -> Iterator[str]:
    """An X display of 1280x960 with nothing on it, by its name: `:7`; xdotool presses its keys."""
    _need(shutil.which("xdotool"), "xdotool is not installed")
    program = _need(shutil.which("Xvfb"), "Xvfb is not installed")
    reader, writer = os.pipe()
    command = [str(program), "-displayfd", str(writer), "-screen", "0", "1280x960x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)
