"""Network cameras through the command: they fail, come back, or do not; credentials reach nothing that it leaves."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import audio_packets, frame_times, probe
from tests.end_to_end.pages import ROOT
from tests.stream.sources.network_peers import FileServer, HttpCamera, RtspServer, free_port

pytestmark = pytest.mark.usefixtures("ffprobe")

CEILING = 60


class Running:
    """`mirilla run` over a camera that asks for a user, a password and a token."""

    def __init__(self, camera: HttpCamera, folder: Path, *options: str) -> None:
        address = camera.address.replace("//", "//viewer:sesame@") + "?token=sesame"
        command = [sys.executable, "-m", "stream", "run", "--source", address, "--model", "none", "--report", "r.json"]
        self.folder = folder
        self.partial = folder / f"127.0.0.1-{camera.port}-live.partial.mp4"
        self.video = folder / f"127.0.0.1-{camera.port}-live.mp4"
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
        with (folder / "said.txt").open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [*command, "--sink", "{name}.mp4", "--sink", "{name}.jsonl", *options],
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
            )

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text(encoding="utf-8")

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + CEILING
        while not condition():
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def records(self) -> None:
        """Wait until pictures are on the disk."""
        self.until(lambda: self.partial.exists() and self.partial.stat().st_size > 20_000)

    def ended(self) -> tuple[int, dict[str, Any]]:
        """The exit code and the report; nothing that was left holds the password, nor does its name."""
        code = self.process.wait(CEILING)
        for path in self.folder.iterdir():
            assert "sesame" not in path.name
            assert b"sesame" not in path.read_bytes(), path
        report: dict[str, Any] = json.loads((self.folder / "r.json").read_text(encoding="utf-8"))
        frames = report["frames"]
        assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
        times = [Fraction(moment) for moment in frame_times(self.video)]
        assert len(times) == frames["written"]
        assert times == sorted(set(times))
        return code, report


def test_a_camera_that_dies_with_reconnecting_off_exits_1_with_all_that_was_seen(ffmpeg: Path, tmp_path: Path) -> None:
    with HttpCamera(ffmpeg).start() as camera:
        run = Running(camera, tmp_path, "--reconnect", "0", "--quiet")
        run.records()
        camera.stop()
        code, report = run.ended()
    assert code == 1
    line = run.said.strip()
    assert "\n" not in line
    assert line.startswith(f"mirilla: source: 'http://***@127.0.0.1:{camera.port}/live?token=***' ")
    assert report["source"] == {"reconnects": 0, "lost_seconds": 0.0}


def test_a_camera_that_comes_back_with_another_size_fills_one_file_until_ctrl_c(ffmpeg: Path, tmp_path: Path) -> None:
    with HttpCamera(ffmpeg).start() as camera:
        run = Running(camera, tmp_path, "--debug")
        run.records()
        camera.stop()
        run.until(lambda: "reconnecting" in run.said)
        camera.size_wh = (64, 96)
        camera.start()
        run.until(lambda: "back after" in run.said)
        before = run.partial.stat().st_size
        run.until(lambda: run.partial.stat().st_size > before + 10_000)
        # Ctrl-C while nothing comes and nobody answers.
        camera.freeze()
        run.process.send_signal(signal.SIGINT)
        code, report = run.ended()
    assert code == 0
    assert "Traceback" not in run.said
    assert report["source"]["reconnects"] == 1
    assert 0 < report["source"]["lost_seconds"] < report["wall_seconds"]
    stream = probe(run.video, "-show_streams")["streams"][0]
    assert (stream["width"], stream["height"]) == (160, 120)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("rtsp://viewer:sesamy@127.0.0.1:{port}/cam", "wants another user name or password (401)"),
        ("rtsp://viewer:sesame@127.0.0.1:{closed}/cam", "refuses the connection"),
    ],
)
def test_a_camera_that_refuses_exits_2_in_one_line(
    address: str, message: str, rtsp_python: Path, mirilla: Mirilla, tmp_path: Path
) -> None:
    with RtspServer(rtsp_python, "sesame").start() as camera:
        source = address.format(port=camera.port, closed=free_port())
        result = mirilla("run", "--source", source, "--model", "none", "--sink", "out/seen.mp4", "--debug")
        assert result.returncode == 2
        assert message in result.stderr
        assert "sesam" not in result.stdout + result.stderr
        quiet = mirilla("run", "--source", source, "--model", "none", "--sink", "out/seen.mp4")
    assert quiet.returncode == 2
    assert len(quiet.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("out/*"))


def test_a_file_over_http_comes_back_whole_with_its_sound(mirilla: Mirilla, clip: Path, tmp_path: Path) -> None:
    with FileServer(tmp_path).start() as server:
        server.password = base64.b64encode(b"viewer:sesame").decode()
        address = f"http://viewer:sesame@127.0.0.1:{server.port}/clip.mp4"
        result = mirilla("run", "--source", address, "--model", "none", "--sink", "seen/{name}.mp4", "--debug")
    assert result.returncode == 0, result.stderr
    assert "sesame" not in result.stdout + result.stderr
    seen = tmp_path / "seen" / "clip.mp4"
    assert frame_times(seen) == frame_times(clip)
    assert audio_packets(seen) == audio_packets(clip)


def test_a_file_over_http_whose_sound_cannot_be_had_comes_back_without(
    mirilla: Mirilla, clip: Path, tmp_path: Path
) -> None:
    class OneCaller(FileServer):
        """Refuses every connection but the first."""

        def respond(self, request: BaseHTTPRequestHandler) -> None:
            if self.requests:
                self.password = "nobody's"
            super().respond(request)

    whole = tmp_path / "whole.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-c", "copy", "-movflags", "faststart", str(whole)]
    subprocess.run(command, check=True)
    with OneCaller(tmp_path).start() as server:
        address = f"http://viewer:sesame@127.0.0.1:{server.port}/whole.mp4"
        result = mirilla("run", "--source", address, "--model", "none", "--sink", "seen.mp4")
    assert result.returncode == 0, result.stderr
    assert "the sound is left out" in result.stderr
    assert "sesame" not in result.stderr
    assert len(frame_times(tmp_path / "seen.mp4")) == len(frame_times(clip))


def test_the_log_hides_passwords_whoever_writes_it() -> None:
    program = """
import logging, stream.terminal
stream.terminal.log_to_terminal(debug=True)
logging.getLogger("libav.tcp").warning("%s: cannot open %s", 7, "rtsp://viewer:sesame@cam/live")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "7: cannot open rtsp://***@cam/live" in result.stderr


def test_a_password_in_a_configuration_that_is_wrong_is_not_shown(mirilla: Mirilla, tmp_path: Path) -> None:
    text = "streams: {a: {source: ['rtsp://viewer:sesame@cam/live'], sinks: ['null']}}"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    for debug in ((), ("--debug",)):
        result = mirilla("run", "mine.yaml", *debug)
        assert result.returncode == 2
        assert "sesame" not in result.stdout + result.stderr
        assert "streams.a.source" in result.stderr
