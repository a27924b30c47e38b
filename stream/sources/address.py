"""Addresses of network streams: what of them may be shown, and what a stream that comes from one is called.

The one place that takes credentials out of a text. Whatever is shown, logged or written passes here: the messages of
sources (any thread), the command's errors and its log (`stream.terminal`), the names of streams (`stream.options`).
"""

from __future__ import annotations

import re
from pathlib import Path

from stream.file_names import file_name
from stream.sources.paths import is_still_name, is_video_name

HIDDEN = "***"

_SCHEME = r"[a-z][a-z0-9+.-]+://"
_ADDRESS = re.compile(rf"{_SCHEME}[^\s\"<>]+", re.IGNORECASE)
_PARTS = re.compile(rf"(?P<scheme>{_SCHEME})(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>.*)", re.I | re.S)
_SECRET_IN_PATH = re.compile(
    r"(?P<key>(?<![a-z])(?:user|username|usr|pass|passwd|password|pwd|token|key|auth|secret)=)"
    r".*?(?=[/&;]|[_,][a-z]+=|$)",
    re.IGNORECASE,
)
"""Some cameras take credentials as a part of the path: `/user=admin_password=x_channel=1.sdp`."""


def is_address(text: str) -> bool:
    """Whether a text begins as an address does: with a word and `://`."""
    return re.match(_SCHEME, text, re.IGNORECASE) is not None


def shown(address: str) -> str:
    """An address as people may see it: without user and password, and without the values of its query.

    Args:
        address: `rtsp://admin:secret@cam.local/live?token=1` becomes `rtsp://***@cam.local/live?token=***`.
    """
    parts = _PARTS.fullmatch(address)
    if parts is None:
        return address
    scheme, authority, path, query = parts.group("scheme", "authority", "path", "query")
    _, at, host = authority.rpartition("@")
    before, stray, after = (path + query).rpartition("@")
    if not at and stray and ":" in authority + before:
        # A name or password with an unescaped `/`, `?` or `#` in it: all up to the last `@` may belong to it.
        return shown(f"{scheme}{HIDDEN}@{after}")
    user = f"{HIDDEN}@" if at else ""
    path = _SECRET_IN_PATH.sub(rf"\g<key>{HIDDEN}", path)
    return f"{scheme}{user}{host}{path}{_query_shown(query)}"


def has_unescaped_credentials(address: str) -> bool:
    """Whether a user name or password with `/`, `?` or `#` in it makes the address mean another host."""
    parts = _PARTS.fullmatch(address)
    if parts is None or "@" in parts["authority"] or "@" not in parts["path"] + parts["query"]:
        return False
    port = parts["authority"].rpartition("]")[2].partition(":")[2]
    return bool(port) and not port.isdecimal()


def host_of(address: str) -> str:
    """The host that an address names, without port and brackets; empty where it names none."""
    parts = _PARTS.fullmatch(address)
    host = "" if parts is None else parts["authority"].rpartition("@")[2]
    return host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def redacted(text: str) -> str:
    """Any text, with every address in it as people may see it."""

    def replace(found: re.Match[str]) -> str:
        # What closes a quotation or a sentence is not the address's.
        address = found.group().rstrip("'`)]},;.:")
        return shown(address) + found.group()[len(address) :]

    return _ADDRESS.sub(replace, text)


def stream_name(address: str) -> str:
    """What a stream of this address is called, fit for a file's name: a file by its stem, a camera by host and path.

    Args:
        address: `https://example.org/films/clip.mp4` is called `clip`; `rtsp://admin:secret@cam.local:8554/live?x=1` is
            called `cam.local-8554-live`.
    """
    place = shown(address).partition("://")[2].removeprefix(f"{HIDDEN}@").partition("?")[0].rstrip("/")
    directory, _, last = place.rpartition("/")
    if directory and (is_video_name(Path(last)) or is_still_name(Path(last))):
        place = Path(last).stem
    return file_name(place.replace(HIDDEN, ""), "stream")


def _query_shown(query: str) -> str:
    """`?name=***&other=***` and no fragment; a part without a name is hidden whole."""
    given = query.removeprefix("?").partition("#")[0] if query.startswith("?") else ""
    parts = [f"{part.partition('=')[0]}={HIDDEN}" if "=" in part else HIDDEN for part in given.split("&")]
    return "?" + "&".join(parts) if given else ""
