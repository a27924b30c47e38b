"""Real servers that are killed, frozen, cut and changed: the run goes on, and every frame is counted."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import av
import pytest

from stream.errors import SourceError
from stream.live_parts import Look
from stream.pipeline import Pipeline
from stream.sources import SourceOptions, open_source
from stream.sources.network import NetworkSource
from stream.sources.network_connection import Connection
from stream.sources.source import RtspTransport
from tests.stream.doubles import ScriptedSink
from tests.stream.sources.clips import H264, make_clip
from tests.stream.sources.network_peers import (
    RATE,
    FileServer,
    HttpCamera,
    HttpServer,
    Proxy,
    RtspServer,
)

CEILING = 20
"""Seconds that a busy machine may take for what takes one or two."""

QUICK = SourceOptions(connect_seconds=5, lost_after_seconds=1)


class Watched:
    """A run in the background."""

    def __init__(self, address: str, options: SourceOptions = QUICK) -> None:
        source = open_source(address, options)
        assert isinstance(source, NetworkSource)
        self.source = source
        self.sink = ScriptedSink()
        self.pipeline = Pipeline(source, [], [self.sink], look=Look(hud=False))
        self._thread = threading.Thread(target=self.pipeline.run, daemon=True)
        self._thread.start()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        end = time.monotonic() + CEILING
        while not condition():
            assert time.monotonic() < end, f"still not so after {CEILING} s"
            time.sleep(0.01)

    def more(self, count: int = 5) -> None:
        """Wait for so many further frames."""
        wanted = len(self.sink.indices) + count
        self.until(lambda: len(self.sink.indices) >= wanted)

    def finish(self) -> None:
        """Stop, and see that what was counted is what was seen."""
        self.pipeline.stop()
        self._thread.join(CEILING)
        assert not self._thread.is_alive()
        frames = self.pipeline.metrics.report({})["frames"]
        assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
        assert frames["written"] == len(self.sink.results)
        seen = [result.frame for result in self.sink.results]
        for earlier, later in pairwise(seen):
            assert later.pts > earlier.pts
            assert later.index > earlier.index
        assert {frame.size_wh for frame in seen} == {seen[0].size_wh}


@contextmanager
def watched(address: str, options: SourceOptions = QUICK) -> Iterator[Watched]:
    run = Watched(address, options)
    run.more()
    yield run
    run.finish()


def test_a_camera_over_rtsp_is_killed_changed_frozen_and_cut(rtsp_python: Path) -> None:
    with RtspServer(rtsp_python).start() as camera, Proxy(camera.port) as proxy:
        address = camera.address.replace(str(camera.port), str(proxy.port))
        with watched(address) as run:
            assert run.source.info.is_live
            assert run.source.info.time_base == Fraction(1, 90_000)
            # it comes back as another camera: upright, and with another codec
            camera.stop()
            run.until(lambda: not run.source.status.is_connected)
            camera.start((120, 160), RtspServer.VP8)
            run.more()
            assert run.source.status.reconnects == 1
            # frozen for longer than a picture may be late
            camera.freeze()
            run.until(lambda: not run.source.status.is_connected)
            camera.thaw()
            run.until(lambda: run.source.status.is_connected)
            run.more()
            assert run.source.status.reconnects == 2
            proxy.cut()
            run.until(lambda: run.source.status.reconnects == 3)
            run.more()
            assert run.source.status.lost_ns > 0


def test_a_camera_over_http_is_killed_changed_frozen_cut_and_talks_nonsense(ffmpeg: Path) -> None:
    with HttpCamera(ffmpeg).start() as camera, watched(camera.address) as run:
        assert run.source.info.is_live
        camera.cut()
        run.until(lambda: run.source.status.reconnects == 1)
        run.more()
        camera.freeze()
        run.until(lambda: not run.source.status.is_connected)
        camera.thaw()
        run.until(lambda: run.source.status.reconnects == 2)
        run.more()
        # nothing that it decodes: it counts as lost, and so does every attempt as long as it lasts
        camera.garbage = bytes(range(256)) * 32
        run.until(lambda: run.source.status.attempt >= 1)
        camera.garbage = b""
        run.until(lambda: run.source.status.reconnects == 3)
        run.more()
        camera.stop()
        run.until(lambda: run.source.status.attempt >= 2)
        camera.size_wh = (64, 48)
        camera.start()
        run.until(lambda: run.source.status.reconnects == 4)
        run.more()


def test_a_camera_that_was_gone_for_long_is_not_waited_for_once_it_is_back(
    ffmpeg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every attempt but the first comes five minutes after the one before, unless the camera's return is noticed.
    monkeypatch.setattr("stream.sources.network.wait_seconds", lambda *_: 300.0)
    with HttpCamera(ffmpeg).start() as camera, watched(camera.address) as run:
        camera.stop()
        run.until(lambda: run.source.status.attempt >= 2)
        camera.start()
        run.until(lambda: run.source.status.reconnects == 1)
        run.more()


def test_a_moment_of_nonsense_costs_pictures_and_no_more(ffmpeg: Path) -> None:
    with HttpCamera(ffmpeg).start() as camera, watched(camera.address) as run:
        # a packet that is one by its first byte, and much that is none
        camera.slip = b"\x47" + bytes(range(187)) * 21
        run.until(lambda: not camera.slip)
        run.more(2 * RATE)
        assert run.source.status.reconnects == 0


def test_mjpeg_has_the_times_of_its_arrivals(ffmpeg: Path) -> None:
    # libav counts it at 25 a second
    with HttpCamera(ffmpeg, "mpjpeg").start() as camera, watched(camera.address) as run:
        info = run.source.info
        assert (info.is_live, info.rate) == (True, None)
        run.more(2 * RATE)
        first, last = run.sink.results[0].frame, run.sink.results[-1].frame
        media = last.pts_seconds - first.pts_seconds
        assert media == pytest.approx((last.captured_at_ns - first.captured_at_ns) / 1e9, abs=1e-3)


def test_a_live_playlist_comes_at_its_own_pace(ffmpeg: Path, tmp_path: Path) -> None:
    picture = f"testsrc2=s=160x120:r={RATE}"
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", str(RATE)]
    command = [str(ffmpeg), "-v", "error", "-re", "-f", "lavfi", "-i", picture, *encoding]
    playlist = tmp_path / "live.m3u8"
    encoder = subprocess.Popen([*command, "-f", "hls", "-hls_time", "1", "-hls_list_size", "4", str(playlist)])
    try:
        end = time.monotonic() + CEILING
        while not playlist.exists() or playlist.read_text(encoding="utf-8").count("#EXTINF") < 3:
            assert time.monotonic() < end
            time.sleep(0.05)
        with FileServer(tmp_path).start() as server, watched(f"{server.address}.m3u8") as run:
            assert run.source.info.is_live
            began = time.monotonic()
            at = len(run.sink.results)
            run.more(2 * RATE)
            # two seconds of pictures, all of which were there at the beginning, take their time
            seen = [result.frame for result in run.sink.results[at:]]
            media = seen[-1].pts_seconds - seen[0].pts_seconds
            assert time.monotonic() - began > media / 2
    finally:
        encoder.kill()
        encoder.wait()


def test_ffmpeg_itself_as_a_server(ffmpeg: Path) -> None:
    with HttpCamera(ffmpeg) as camera:
        encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
        command = [str(ffmpeg), "-v", "quiet", "-re", "-f", "lavfi", "-i", f"testsrc2=s=160x120:r={RATE}", *encoding]
        command += ["-g", str(RATE), "-f", "mpegts", "-listen", "1", camera.address]
        server = subprocess.Popen(command)
        try:
            end = time.monotonic() + CEILING
            run = None
            while run is None:
                try:
                    run = Watched(camera.address)
                except SourceError:
                    assert time.monotonic() < end
                    time.sleep(0.05)
            run.more()
            run.finish()
        finally:
            server.kill()
            server.wait()


@pytest.mark.parametrize(
    ("transport", "way"),
    [
        ("udp", b"RTP/AVP/UDP;unicast;client_port="),
        ("tcp", b"RTP/AVP/TCP;unicast;interleaved="),  # within the connection that the requests go by
    ],
)
def test_rtsp_s_pictures_travel_as_is_asked_for(rtsp_python: Path, transport: RtspTransport, way: bytes) -> None:
    options = SourceOptions(rtsp_transport=transport, connect_seconds=5, lost_after_seconds=1)
    with RtspServer(rtsp_python).start() as camera, Proxy(camera.port) as proxy:
        with watched(camera.address.replace(str(camera.port), str(proxy.port)), options) as run:
            run.more()
            assert run.source.status.reconnects == 0
        asked = re.findall(rb"^Transport: (.*)\r$", bytes(proxy.asked), re.MULTILINE)
    assert asked
    assert all(one.startswith(way) for one in asked), asked


@pytest.mark.parametrize("cut_share", [None, 0.3, 0.7])
def test_a_file_over_http_is_recorded_material_and_whole_also_after_a_break(
    film: Path, cut_share: float | None
) -> None:
    cut_after = None if cut_share is None else round(film.stat().st_size * cut_share)
    with FileServer(film.parent, cut_after).start() as server:
        address = f"http://127.0.0.1:{server.port}/film.mp4"
        with NetworkSource(address, wait=lambda _: False) as source:
            assert (source.info.is_live, source.info.frame_count, source.info.rate) == (False, 75, Fraction(25))
            frames = [(frame.pts, frame.index, frame.image.copy()) for frame in source]
            assert source.status.reconnects == (0 if cut_share is None else 1)
    with av.open(str(film)) as container:
        expected = [(frame.pts, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    assert [pts for pts, _, _ in frames] == [pts for pts, _ in expected]
    assert [index for _, index, _ in frames] == list(range(75))
    for (_, _, image), (_, wanted) in zip(frames, expected, strict=True):
        assert abs(image.astype(int) - wanted).max() <= 2


def test_closing_wakes_who_waits_for_a_frozen_camera(ffmpeg: Path) -> None:
    patient = SourceOptions(connect_seconds=60, lost_after_seconds=60)
    with HttpCamera(ffmpeg).start() as camera:
        source = open_source(camera.address, patient)
        frames = iter(source)
        next(frames)
        camera.freeze()
        ended = threading.Event()

        def take_the_rest() -> None:
            deque(frames, maxlen=0)
            ended.set()

        threading.Thread(target=take_the_rest, daemon=True).start()
        source.close()
        assert ended.wait(CEILING)


def test_leaving_wakes_who_waits_for_a_server_that_takes_calls_and_says_nothing() -> None:
    class Silent(HttpServer):
        def respond(self, request: BaseHTTPRequestHandler) -> None:  # noqa: ARG002 - HttpServer
            released.wait(CEILING)

    released = threading.Event()
    with Silent().start() as server:
        connection = Connection(server.address, SourceOptions(connect_seconds=60, lost_after_seconds=60))
        taken: list[object] = []
        taker = threading.Thread(target=lambda: taken.append(connection.take(60)), daemon=True)
        taker.start()
        connection.leave()
        taker.join(CEILING)
        assert taken == [None]
        # The reader does not sit out its minute either.
        connection.join(CEILING)
        assert not [thread for thread in threading.enumerate() if thread.name == "mirilla-network"]
        released.set()


def test_forty_reconnections_leave_nothing_behind(ffmpeg: Path, tmp_path: Path) -> None:
    clip = make_clip(ffmpeg, tmp_path / "clip.ts", *H264, graph="testsrc2=s=640x480:r=25:d=0.4").read_bytes()

    class Brief(HttpServer):
        def respond(self, request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.end_headers()
            request.wfile.write(clip)

    with Brief().start() as server:
        command = [sys.executable, "-m", "tests.stream.sources.reconnections", server.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * CEILING, check=True)
    grown_mb, readers_left = done.stdout.split()
    assert readers_left == "0"
    # 40 decoders of this size with their pictures are many times as much.
    assert float(grown_mb) < 20
