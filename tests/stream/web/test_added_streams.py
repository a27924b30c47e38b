"""Streams are added by address to a running server; whatever an address leads to, only allowed networks are reached."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from stream.config import check_settings
from stream.errors import ConfigError
from stream.web import source_rules
from stream.web.certificate import own_certificate
from stream.web.serve import serving
from tests.stream.sources.clips import H264, make_clip
from tests.stream.sources.network_peers import HttpServer, RtspServer
from tests.stream.web.conftest import PATTERN, Answer, Client, Serve, running

ALLOWED, FORBIDDEN = "127.0.0.1", "127.0.0.2"
RULES = {"allow_sources": {"networks": [f"{ALLOWED}/32"], "most": 2}}


class Secret:
    """Listens where nobody may go, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server((FORBIDDEN, 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            line.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def secret() -> Iterator[Secret]:
    one = Secret()
    yield one
    one.close()


class Site(HttpServer):
    """Serves a clip at /clip.mp4 and its pieces, and leads elsewhere at other paths."""

    def __init__(self, files: dict[str, bytes], moved: dict[str, str]) -> None:
        super().__init__()
        self._files, self._moved = files, moved
        self.heads: list[str] = []

    @override
    def respond(self, request: BaseHTTPRequestHandler) -> None:
        self.heads.append(f"{request.requestline}\n{request.headers}")
        path = request.path.partition("?")[0]
        if path in self._moved:
            request.send_response(302)
            request.send_header("Location", self._moved[path])
            request.end_headers()
        elif path in self._files:
            request.send_response(200)
            request.send_header("Content-Length", str(len(self._files[path])))
            request.end_headers()
            request.wfile.write(self._files[path])
        else:
            request.send_error(404)


@pytest.fixture(scope="module")
def clip(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = make_clip(ffmpeg, tmp_path_factory.mktemp("clip") / "clip.ts", *H264, graph="testsrc2=s=160x120:r=15:d=4")
    return path.read_bytes()


def add(client: Client, source: str, name: str = "door") -> Answer:
    body = json.dumps({"name": name, "source": source}).encode()
    return client.ask("POST", "/api/streams", body, Content_Type="application/json")


def names(client: Client) -> list[str]:
    return [stream["name"] for stream in client.streams()]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def own_threads() -> list[str]:
    """Names of the program's threads, without those of the loop's pool, which stay."""
    return sorted(thread.name for thread in threading.enumerate() if "asyncio" not in thread.name)


def captured(client: Client, name: str) -> int:
    count: int = next(one for one in client.streams() if one["name"] == name)["figures"]["captured"]
    return count


def test_a_stream_is_added_runs_and_is_taken_away(serve: Serve, clip: bytes) -> None:
    client = serve(RULES)
    wait_until(lambda: captured(client, "pattern") > 0 and "mirilla-write" in own_threads())
    threads = own_threads()
    with Site({"/clip.ts": clip}, {"/moved": "/clip.ts?again=1"}).start() as site:
        status, headers, body = add(client, f"http://{ALLOWED}:{site.port}/moved?key=secret", "Front door")
        assert (status, headers["location"]) == (201, "/api/streams/Front-door")
        described = json.loads(body)
        assert (described["title"], described["width"], described["is_added"]) == ("Front door", 160, True)
        assert "secret" not in body.decode()
        wait_until(lambda: captured(client, "Front-door") > 5)
        # What the site was asked is what it is asked without a proxy.
        assert site.heads[0].startswith("GET /moved?key=secret HTTP/1.1\n")
        assert f"Host: {ALLOWED}:{site.port}" in site.heads[0]
        assert "proxy" not in site.heads[0].lower()

        assert add(client, f"http://{ALLOWED}:{site.port}/clip.ts", "Front door").status == 409
        assert add(client, f"http://{ALLOWED}:{site.port}/clip.ts", "pattern").status == 409
        assert add(client, f"http://{ALLOWED}:{site.port}/clip.ts", "Back door").status == 201
        assert add(client, f"http://{ALLOWED}:{site.port}/clip.ts", "Third door").status == 409
        assert names(client) == ["pattern", "Front-door", "Back-door"]
    for name in ("Front-door", "Back-door"):
        assert client.ask("DELETE", f"/api/streams/{name}").status == 204
        assert client.ask("DELETE", f"/api/streams/{name}").status == 404
    # What the configuration has, nobody takes away.
    assert client.ask("DELETE", "/api/streams/pattern").status == 404
    assert names(client) == ["pattern"]
    wait_until(lambda: own_threads() == threads)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f"http://{FORBIDDEN}:@SECRET@/clip.ts", "networks"),
        (f"rtsp://{FORBIDDEN}:@SECRET@/cam", "networks"),
        # The same address in the words of other systems.
        ("http://127.2:@SECRET@/", ""),
        ("http://0x7f000002:@SECRET@/", ""),
        ("http://2130706434:@SECRET@/", ""),
        (f"http://[::ffff:{FORBIDDEN}]:@SECRET@/", ""),
        (f"https://{FORBIDDEN}:@SECRET@/clip.ts", "networks"),
        (f"rtsps://{FORBIDDEN}:@SECRET@/cam", "networks"),
        # By a redirection, and by what a playlist names.
        (f"http://{ALLOWED}:@SITE@/away", "door"),
        (f"http://{ALLOWED}:@SITE@/away-to-camera", "door"),
        (f"http://{ALLOWED}:@SITE@/away-encrypted", "door"),
        (f"http://{ALLOWED}:@SITE@/list.m3u8", "door"),
        (f"http://{ALLOWED}:@SITE@/nested.m3u8", "door"),
        # Not an address of the network.
        ("file:///etc/passwd", "only addresses"),
        ("/etc/passwd", "only addresses"),
        ("pattern", "only addresses"),
        (f"http://{ALLOWED}:99999/", "port"),
        (f"http://{ALLOWED}:@SITE@/nothing-there", ""),
    ],
)
def test_no_way_leads_to_where_nobody_may_go(
    client: Client, secret: Secret, source: str, words: str, clip: bytes
) -> None:
    elsewhere = f"http://{FORBIDDEN}:{secret.port}/clip.ts"
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
    files = {
        "/list.m3u8": f"{head}#EXTINF:4,\n{elsewhere}\n#EXT-X-ENDLIST\n".encode(),
        "/nested.m3u8": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{elsewhere}\n".encode(),
    }
    moved = {
        "/away": elsewhere,
        "/away-to-camera": f"rtsp://{FORBIDDEN}:{secret.port}/cam",
        "/away-encrypted": elsewhere.replace("http:", "https:"),
    }
    with Site({"/clip.ts": clip, **files}, moved).start() as site:
        there = source.replace("@SECRET@", str(secret.port)).replace("@SITE@", str(site.port))
        status, _, body = add(client, there)
    assert status == 400, body
    assert words == "door" or words in json.loads(body)["detail"]
    assert secret.visits == 0
    assert names(client) == ["pattern"]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running(RULES) as shared:
        yield shared


def test_a_name_that_leads_elsewhere_the_next_moment_gains_nothing(
    secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        # Allowed when it is checked first; afterwards it is where nobody may go (DNS rebinding).
        return [ALLOWED if len(asked) == 1 else FORBIDDEN]

    monkeypatch.setattr(source_rules, "_system_look_up", look_up)
    with running(RULES) as client:
        assert add(client, f"http://rebound.example:{secret.port}/clip.ts").status == 400
    assert set(asked) == {"rebound.example"}
    assert len(asked) > 1
    assert secret.visits == 0


def test_a_camera_over_rtsp_is_added_with_its_password(client: Client, rtsp_python: Path) -> None:
    with RtspServer(rtsp_python, "sesame").start() as camera:
        address = camera.address.replace("rtsp://", "rtsp://viewer:wrong@")
        status, _, body = add(client, address)
        assert status == 400
        assert "wrong" not in body.decode()
        assert f"{ALLOWED}:{camera.port}" in body.decode()
        assert add(client, address.replace("wrong", "sesame")).status == 201
        wait_until(lambda: captured(client, "door") > 5)
        assert client.ask("DELETE", "/api/streams/door").status == 204


@contextmanager
def encrypted(port: int, folder: Path) -> Iterator[int]:
    """TLS before a server of this machine, with a certificate that nobody has signed; gives its port."""
    made = own_certificate(folder, ["elsewhere.example"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert_path, made.key_path)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(ALLOWED, port)
        pumps = [asyncio.ensure_future(pump(reader, there_writer)), asyncio.ensure_future(pump(there_reader, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(one for one in pumps if one.cancel()), return_exceptions=True)
        for one in (writer, there_writer):
            one.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(pass_on, ALLOWED, 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def test_what_is_encrypted_is_added_over_the_same_way(
    client: Client, clip: bytes, rtsp_python: Path, tmp_path: Path
) -> None:
    with Site({"/clip.ts": clip}, {}).start() as site, encrypted(site.port, tmp_path) as port:
        assert add(client, f"https://{ALLOWED}:{port}/clip.ts").status == 201
        wait_until(lambda: captured(client, "door") > 5)
        assert client.ask("DELETE", "/api/streams/door").status == 204
    with RtspServer(rtsp_python).start() as camera, encrypted(camera.port, tmp_path) as port:
        assert add(client, f"rtsps://{ALLOWED}:{port}/cam").status == 201
        wait_until(lambda: captured(client, "door") > 5)
        assert client.ask("DELETE", "/api/streams/door").status == 204


def test_a_camera_that_redirects_leads_nowhere(client: Client, secret: Secret) -> None:
    answer = f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://{FORBIDDEN}:{secret.port}/cam\r\n\r\n".encode()
    with socket.create_server((ALLOWED, 0)) as camera:

        def redirect() -> None:
            line, _ = camera.accept()
            with line:
                line.recv(4096)
                line.sendall(answer)
                line.recv(4096)

        answering = threading.Thread(target=redirect, daemon=True)
        answering.start()
        assert add(client, f"rtsp://{ALLOWED}:{camera.getsockname()[1]}/cam").status == 400
        answering.join(5)
    assert secret.visits == 0


def test_unless_it_is_allowed_nobody_adds_anything(serve: Serve) -> None:
    client = serve()
    assert add(client, "http://93.184.216.34/clip.ts").status == 403
    assert json.loads(client.ask("GET", "/api/connection").body)["additions"] is False


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        ({"like": "nobody"}, ("web.allow_sources.like", "nobody", "pattern")),
        ({"networks": ["10.0.0.0/40"]}, ("web.allow_sources.networks", "10.0.0.0/40")),
        ({"protocols": ["file"]}, ("web.allow_sources.protocols", "file")),
        ({"most": 0}, ("web.allow_sources.most", "0")),
    ],
)
def test_rules_that_cannot_be_kept_are_said_in_a_line(allowed: dict[str, Any], words: tuple[str, ...]) -> None:
    content = {"streams": {"pattern": {"source": PATTERN, "sinks": ["null"]}}}
    with (
        pytest.raises(ConfigError) as caught,
        serving(check_settings({**content, "web": {"port": 0, "allow_sources": allowed}}, "test")),
    ):
        pass
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_libav_must_not_be_told_to_go_round_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(ConfigError, match="no_proxy"), running(RULES):
        pass
