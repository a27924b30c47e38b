"""Real servers on 127.0.0.1 that fail on command: an RTSP server, HTTP fed by ffmpeg, and a proxy that cuts."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

RTSP_SERVER = Path(__file__).with_name("rtsp_server.py")
_CONTENT_TYPES = {"mpegts": "video/mp2t", "mpjpeg": "multipart/x-mixed-replace;boundary=ffmpeg"}

RATE = 15
"""Frames a second of every peer."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Peer:
    """Something that is stopped when its block ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away at once."""
        raise NotImplementedError


class RtspServer(Peer):
    """A camera with RTSP at `address`; a process of its own."""

    H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96"
    VP8 = "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=15 ! rtpvp8pay name=pay0 pt=96"

    def __init__(self, python: Path, password: str | None = None) -> None:
        self.port = free_port()
        self.address = f"rtsp://127.0.0.1:{self.port}/cam"
        self._python = python
        self._password = [] if password is None else [password]
        self._process: subprocess.Popen[str] | None = None

    def start(self, size_wh: tuple[int, int] = (160, 120), codec: str = H264) -> Self:
        """Begin to serve; ready when this returns."""
        caps = f"video/x-raw,width={size_wh[0]},height={size_wh[1]},framerate={RATE}/1"
        pipeline = f"( videotestsrc is-live=true pattern=ball ! {caps} ! {codec} )"
        command = [str(self._python), str(RTSP_SERVER), str(self.port), pipeline, *self._password]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def freeze(self) -> None:
        """Stand still: connections stay, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Be killed."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class HttpServer(Peer):
    """Answers every GET with what `respond` writes; remembers its connections, so that it can drop them."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._open: set[socket.socket] = set()

    @property
    def address(self) -> str:
        """Of whatever path."""
        return f"http://127.0.0.1:{self.port}/live"

    def start(self) -> Self:
        """Begin to serve."""
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer._open.add(self.connection)
                with contextlib.suppress(OSError):
                    peer.respond(self)
                peer._open.discard(self.connection)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server
                """Nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Nothing: clients go away in the middle of an answer."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Write the whole answer."""
        raise NotImplementedError

    def cut(self) -> None:
        """Cut every connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Go away: nobody listens, nobody is connected."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.cut()


class HttpCamera(HttpServer):
    """A camera over HTTP: for each viewer an ffmpeg that begins to encode, passed on as it comes.

    Attributes:
        garbage: what to say instead of the stream, also in the middle of it; empty for nothing.
        slip: what to say once in the middle of the stream; empty again when it was said.
    """

    def __init__(self, ffmpeg: Path, container: str = "mpegts", size_wh: tuple[int, int] = (160, 120)) -> None:
        super().__init__()
        self.size_wh = size_wh
        self.garbage = self.slip = b""
        self._ffmpeg = ffmpeg
        self._container = container
        self._moving = threading.Event()
        self._moving.set()

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Send headers without a length, then the stream."""
        request.send_response(200)
        request.send_header("Content-Type", _CONTENT_TYPES[self._container])
        request.end_headers()
        command = [str(self._ffmpeg), "-v", "error", *self._encoding(), "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0) as process:
            assert process.stdout is not None
            try:
                while data := process.stdout.read(65536):
                    assert self._moving.wait(30)
                    request.wfile.write(self.garbage or self.slip + data)
                    self.slip = b""
            finally:
                process.kill()

    def freeze(self) -> None:
        """Send nothing more to anybody, and close nothing."""
        self._moving.clear()

    def thaw(self) -> None:
        """Go on."""
        self._moving.set()

    def stop(self) -> None:
        """Go away."""
        self.thaw()
        super().stop()

    def _encoding(self) -> Sequence[str]:
        width, height = self.size_wh
        picture = ["-re", "-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:r={RATE}"]
        if self._container == "mpjpeg":
            return [*picture, "-c:v", "mjpeg", "-f", "mpjpeg"]
        codec = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(RATE)]
        return [*picture, *codec, "-pix_fmt", "yuv420p", "-flush_packets", "1", "-f", "mpegts"]


class FileServer(HttpServer):
    """Serves the files of a folder, in parts where it is asked to.

    Attributes:
        password: asked for by basic authentication, as user and password in base64; empty for nobody.
        requests: how many there were.
    """

    def __init__(self, folder: Path, cut_after: int | None = None) -> None:
        """Serve.

        Args:
            folder: whose files are served.
            cut_after: the first answer breaks off after so many bytes.
        """
        super().__init__()
        self.password = ""
        self.requests = 0
        self._folder = folder
        self._cut_after = cut_after

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Send a file, or the rest of it from the byte that was asked for."""
        self.requests += 1
        path = self._folder / request.path.partition("?")[0].lstrip("/")
        if self.password and request.headers["Authorization"] != f"Basic {self.password}":
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="test"')
            request.end_headers()
            return
        if not path.is_file():
            request.send_error(404)
            return
        content = path.read_bytes()
        begin = int((request.headers["Range"] or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        request.send_response(206 if request.headers["Range"] else 200)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - begin))
        request.end_headers()
        limit, self._cut_after = self._cut_after, None
        request.wfile.write(content[begin:][:limit])


class Proxy(Peer):
    """Passes TCP on to a port of this machine, until its connections are cut.

    Attributes:
        asked: all that clients have said.
    """

    def __init__(self, target: int) -> None:
        self.asked = bytearray()
        self.port = free_port()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection, as a router that lost its memory does."""
        while self._open:
            connection = self._open.pop()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Cut all, and take none."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, target, kept in ((near, far, self.asked), (far, near, None)):
                threading.Thread(target=_copy, args=(source, target, kept), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket, kept: bytearray | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if kept is not None:
                kept += data
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
