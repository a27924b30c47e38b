"""Senders in processes of their own: a stream that is pushed here, and cameras that come back annotated."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from contextlib import AbstractContextManager
from typing import Any

import pytest

from stream.web import publisher, sessions
from tests.stream.web.conftest import Client, PeerProcess, Serve, peer_process, wait_until
from tests.stream.web.whip_peer import LEVELS

PUSHED: dict[str, Any] = {"pushed": {"source": "whip"}}
LARGEST_ERROR = 10
"""Grey levels by which a codec may miss, twice."""


def sending(client: Client, *options: str, path: str = "/whip/pushed") -> AbstractContextManager[PeerProcess]:
    return peer_process("tests.stream.web.whip_peer", client.url + path, *options)


def captured(client: Client) -> int:
    count: int = client.streams()[0]["figures"]["captured"]
    return count


def is_waiting(client: Client) -> bool:
    return bool(client.streams()[0]["state"] == "unpublished")


@pytest.mark.parametrize(
    ("options", "size_wh"),
    [
        (("--codec", "VP8"), [320, 240]),
        (("--codec", "H264"), [320, 240]),
        # Sides of odd numbers, and sound that stands first and is left alone.
        (("--codec", "VP8", "--size", "321x241", "--sound-first"), [321, 241]),
        (("--codec", "H264", "--size", "90x160", "--sound-first"), [90, 160]),
    ],
)
def test_what_is_pushed_is_watched(serve: Serve, options: tuple[str, ...], size_wh: list[int]) -> None:
    client = serve(**PUSHED)
    stream = client.streams()[0]
    assert (stream["state"], stream["whip"], stream["width"]) == ("unpublished", "/whip/pushed", None)
    with sending(client, *options) as sender:
        wait_until(lambda: captured(client) > 5)
        assert client.streams()[0]["state"] == "running"
        assert [client.streams()[0][side] for side in ("width", "height")] == size_wh
        with peer_process("tests.stream.web.whep_peer", f"{client.url}/whep/pushed", "--decode") as viewer:
            wait_until(lambda: next(iter(client.now.hub.viewers)).track.sent > 15)
            received = viewer.leave()
        sender.leave()
    # What has odd sides grows by a line on its way to viewers.
    assert received["sizes"] == [[side + side % 2 for side in size_wh]]
    assert received["means"][-1] == pytest.approx(sum(LEVELS) / 2, abs=LARGEST_ERROR)
    # The publisher has said goodbye.
    wait_until(lambda: is_waiting(client))


def test_a_size_that_changes_is_taken_in_stride(serve: Serve) -> None:
    client = serve(**PUSHED)
    with sending(client, "--then", "161x90") as sender:
        wait_until(lambda: captured(client) > 5)
        with peer_process("tests.stream.web.whep_peer", f"{client.url}/whep/pushed", "--decode") as viewer:
            track = next(iter(client.now.hub.viewers)).track
            wait_until(lambda: track.sent > 10)
            sender.tell("size")
            wait_until(lambda: client.streams()[0]["width"] == 161)
            sent = track.sent
            wait_until(lambda: track.sent > sent + 15)
            assert viewer.leave()["sizes"] == [[162, 90], [320, 240]]


def test_a_second_publisher_is_refused_while_the_first_ones_pictures_come(serve: Serve) -> None:
    client = serve(**PUSHED)
    with sending(client) as first:
        wait_until(lambda: captured(client) > 5)
        with pytest.raises(AssertionError, match="409"), sending(client):
            pass
        first.leave()
    wait_until(lambda: is_waiting(client))
    before = captured(client)
    with sending(client):
        wait_until(lambda: captured(client) > before + 5)


def test_one_that_never_answers_makes_room_for_the_next(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "STALE_SECONDS", 0.5)
    client = serve(**PUSHED)
    with sending(client, "--never"):
        time.sleep(publisher.STALE_SECONDS)
        with sending(client):
            wait_until(lambda: captured(client) > 5)
            # And is forgotten.
            wait_until(lambda: len(client.now.hub.publishers) == 1)


def test_one_that_vanishes_is_let_go_and_the_next_goes_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CHECK_EVERY_SECONDS", 0.2)
    client = serve(**PUSHED)
    with sending(client) as sender:
        wait_until(lambda: captured(client) > 5)
        sender.process.kill()
        wait_until(lambda: is_waiting(client) and len(client.now.hub.publishers) == 0)


def test_a_camera_that_vanishes_leaves_nothing_behind(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CHECK_EVERY_SECONDS", 0.2)
    client = serve(pattern={"source": "pattern:160x120@30x100000"})
    visitors = client.now.hub.visitors
    with sending(client, "--receive", path="/camera/pattern") as sender:
        left = [weakref.ref(one) for visitor in visitors for one in (visitor, visitor.visit)]
        wait_until(lambda: all(visitor.track.sent > 5 for visitor in visitors))
        sender.process.kill()
        wait_until(lambda: len(visitors) == 0)
    ours = {"mirilla-visit", "video-decoder"}
    wait_until(lambda: not ours & {thread.name for thread in threading.enumerate()})
    wait_until(lambda: gc.collect() >= 0 and [one() for one in left] == [None, None])


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_garbage_under_the_name_of_video_harms_nobody_else(serve: Serve, codec: str) -> None:
    client = serve(**PUSHED, pattern={"source": "pattern:160x120@30x100000"})
    with sending(client, "--garbage", "--codec", codec) as sender:
        before = client.streams()[1]["figures"]["written"]
        wait_until(lambda: client.streams()[1]["figures"]["written"] > before + 60)
        sender.leave()
    wait_until(lambda: len(client.now.hub.publishers) == 0)
    before = captured(client)
    with sending(client):
        wait_until(lambda: captured(client) > before + 5)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_camera_comes_back_mirrored_where_its_owner_wishes(serve: Serve, codec: str) -> None:
    client = serve(pattern={"source": "pattern:160x120@30x100000", "models": ["quickdraw-32"]})
    with sending(client, "--receive", "--codec", codec, path="/camera/pattern") as sender:
        visitor = next(iter(client.now.hub.visitors))
        wait_until(lambda: visitor.track.sent > 20)
        sender.tell("mirror")
        sent = visitor.track.sent
        wait_until(lambda: visitor.visit.source.is_mirrored and visitor.track.sent > sent + 20)
        received = sender.leave()
    assert received["size"] == [320, 240]
    assert received["right"] == pytest.approx(LEVELS[0], abs=LARGEST_ERROR)
    assert received["left"] == pytest.approx(LEVELS[1], abs=LARGEST_ERROR)
    assert "frame" in received["kinds"]
    # Everything of the visit ends with it, and the stream that lent its models goes on.
    studio = client.now.hub.studio
    assert studio is not None
    wait_until(lambda: visitor.visit.is_over and not studio.threads)
    assert client.streams()[0]["state"] == "running"
