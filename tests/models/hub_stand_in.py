"""A small stand-in for the Hugging Face hub on 127.0.0.1: the addresses that downloads use, and scripted faults."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = (".safetensors", ".bin", ".onnx", ".pkl")


@dataclass
class Hub:
    """What the stand-in serves, and what it saw.

    Attributes:
        files: content by `owner/name/file`.
        status: what every request is answered with instead, by `owner/name`, with the hub's error code.
        cut_after: bytes after which the next download of a file breaks off, once.
        always_cut: bytes after which every download of a file breaks off.
        announced: a wrong checksum for a file.
        head: the commit that every branch names.
        past: the files of earlier commits; those of all others are `files`.
        gone: commits that the hub does not have any more.
        ranges: the `Range` headers of downloads, in order.
        requests: every path that was asked for, in order.
        endpoint: its address.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, tuple[int, str]] = field(default_factory=dict)
    cut_after: dict[str, int] = field(default_factory=dict)
    always_cut: int | None = None
    announced: dict[str, str] = field(default_factory=dict)
    head: str = COMMIT
    past: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    ranges: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    endpoint: str = ""

    def add(self, repository: str, folder: Path) -> None:
        """Serve the files of a folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.files[f"{repository}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()


def _checksum(name: str, content: bytes) -> str:
    """As the hub announces it: SHA-256 of large files, git's name of small ones."""
    if name.endswith(_LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")
            hub.requests.append(self.path)
            repository = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
            if repository in hub.status:
                status, code = hub.status[repository]
                return self._plain(status, b"", {"X-Error-Code": code} if code else {})
            names = [name for name in hub.files if name.startswith(f"{repository}/")]
            if not names:
                return self._plain(404, b"", {"X-Error-Code": "RepoNotFound"})
            revision = parts[5] if parts[0] == "api" and len(parts) > 5 else parts[3] if parts[0] != "api" else "main"
            commit = revision if re.fullmatch(r"[0-9a-f]{40}", revision) else hub.head
            if commit in hub.gone:
                return self._plain(404, b"", {"X-Error-Code": "RevisionNotFound"})
            if parts[0] == "api":
                siblings = [{"rfilename": name.removeprefix(f"{repository}/")} for name in names]
                info = {"id": repository, "sha": commit, "siblings": siblings, "private": False, "tags": []}
                return self._plain(200, json.dumps(info).encode(), {"Content-Type": "application/json"})
            name = f"{repository}/{'/'.join(parts[4:])}"
            if name not in hub.files:
                return self._plain(404, b"", {"X-Error-Code": "EntryNotFound"})
            return self._file(name, commit, body)

        def _file(self, name: str, commit: str, body: bool) -> None:
            content = hub.past.get(commit, hub.files)[name]
            digest = hub.announced.get(name) or _checksum(name, content)
            headers = {"X-Repo-Commit": commit, "ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
            start = 0
            if body:
                asked = self.headers.get("Range", "")
                hub.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            part = content[start:]
            self.send_response(206 if start else 200)
            for key, value in headers.items():
                self.send_header(key, value)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if body:
                cut = hub.cut_after.pop(name, hub.always_cut)
                self.wfile.write(part if cut is None else part[:cut])
                if cut is not None:
                    self.close_connection = True

        def _plain(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
