"""Viewers in processes of their own watch over real connections: aiortc's receivers, not our code."""

from __future__ import annotations

import argparse
import asyncio
import gc
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
from aiortc import RTCPeerConnection

from stream.web import sessions
from stream.web.broadcast import Broadcast
from stream.web.signalling import SDP
from tests.stream.web import whep_peer
from tests.stream.web.conftest import Client, PeerProcess, Serve, peer_process, wait_until
from tests.stream.web.offers import an_offer

T = TypeVar("T")


def watching(client: Client, *options: str) -> AbstractContextManager[PeerProcess]:
    return peer_process("tests.stream.web.whep_peer", f"{client.url}/whep/pattern", *options)


def in_time(read: Callable[[], T], wanted: T, seconds: float = 10.0) -> T:
    """What is read, as soon as it is what is wanted, or after so many seconds."""
    end = time.monotonic() + seconds
    while (value := read()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return value


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_viewer_decodes_the_stream_in_the_codec_that_it_has(serve: Serve, codec: str) -> None:
    client = serve()
    with watching(client, "--codec", codec, "--decode", "--results") as viewer:
        track = next(iter(client.now.hub.viewers)).track
        wait_until(lambda: track.sent >= 30)
        assert client.streams()[0]["viewers"] == {codec: 1}
        received = viewer.leave()
    assert received["codec"] == codec
    assert received["sizes"] == [[160, 120]]
    assert received["frames"][0] > 10
    # Half of the pattern is colour bars of mean 127.5, the rest near 64, 127 and black and white.
    assert all(80 < mean < 140 for mean in received["means"])
    kinds = {message["type"] for message in received["messages"]}
    assert {"origin", "pong", "frame"} <= kinds
    frames = [message for message in received["messages"] if message["type"] == "frame"]
    assert frames[-1]["index"] > frames[0]["index"]
    assert frames[0]["results"] == {}
    wait_until(lambda: len(client.now.hub.viewers) == 0)


def test_a_viewer_who_lost_pictures_gets_the_shared_encoder_to_make_a_keyframe(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Broadcast, "ask_keyframe", lambda _, codec: asked.append(codec))
    client = serve()
    with watching(client, "--codec", "VP8") as viewer:
        # Who joins asks, too.
        wait_until(lambda: asked == ["VP8"])
        viewer.tell("pli")
        wait_until(lambda: asked == ["VP8", "VP8"])


def test_viewers_who_lose_packets_are_sent_fewer_bits_unless_they_are_the_few(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CHECK_EVERY_SECONDS", 0.2)
    client = serve({"bitrate_kbps": 1000})
    bitrate = client.now.hub.streams["pattern"].views.drawn.bitrate_bps
    with watching(client, "--lost", "0.5", "--results") as bad:
        wait_until(lambda: bitrate["H264"] < 900_000)
        with watching(client, "--viewers", "2") as good:
            wait_until(lambda: bitrate["H264"] == 1_000_000)
            good.leave()
        wait_until(lambda: bitrate["H264"] < 900_000)
        told = [message for message in bad.leave()["messages"] if message["type"] == "sent"]
    assert told[-1]["lost_share"] == 0.5
    assert told[-1]["link_kbps"] <= 750
    assert told[-1]["pictures"] > told[0]["pictures"]


def test_viewers_that_come_and_go_leave_nothing_behind(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CHECK_EVERY_SECONDS", 0.5)
    client = serve()
    with watching(client, "--viewers", "2") as some:
        some.leave()
    assert in_time(lambda: len(client.now.hub.viewers), 0) == 0
    before = left_behind(client)
    for _ in range(2):
        with watching(client, "--viewers", "12") as many:
            assert in_time(lambda: client.streams()[0]["viewers"], {"H264": 12}) == {"H264": 12}
            meanwhile = left_behind(client)
            # Each says goodbye.
            many.leave()
    # What is compared in the end is what viewers take.
    assert meanwhile.tasks > before.tasks
    assert meanwhile.files >= before.files + 12
    assert meanwhile.connections == before.connections + 12
    with watching(client, "--viewers", "6") as lost:
        # These say nothing: only their silence tells.
        lost.process.kill()
    assert in_time(lambda: len(client.now.hub.viewers), 0) == 0
    assert in_time(lambda: left_behind(client), before) == before


@pytest.mark.parametrize(("path", "direction"), [("/whep/pattern", "recvonly"), ("/camera/pattern", "sendrecv")])
def test_one_that_never_answers_is_forgotten(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, path: str, direction: str
) -> None:
    monkeypatch.setattr(sessions, "CHECK_EVERY_SECONDS", 0.1)
    client = serve()
    offer = an_offer(direction=direction).encode()
    assert client.ask("POST", path, offer, Content_Type=SDP).status == 201
    hub = client.now.hub
    assert len(hub.viewers) + len(hub.visitors) == 1
    wait_until(lambda: len(hub.viewers) + len(hub.visitors) == 0)


def test_the_end_of_the_server_reaches_every_viewer_within_two_seconds(serve: Serve) -> None:
    client = serve()
    with watching(client, "--viewers", "4"):
        began = time.monotonic()
        client.now.server.stop()
        assert len(client.now.hub.viewers) == 0
        assert time.monotonic() - began < 2
    assert "mirilla-web" not in {thread.name for thread in threading.enumerate()}


class Held(NamedTuple):
    """What this process holds: tasks of the server's loop, threads, open files and sockets, connections in memory."""

    tasks: int
    threads: int
    files: int
    connections: int


def left_behind(client: Client) -> Held:
    """What is held now."""
    loop = client.now.server.loop
    assert loop is not None

    async def count() -> int:
        return len(asyncio.all_tasks())

    tasks = asyncio.run_coroutine_threadsafe(count(), loop).result(5)
    gc.collect()
    connections = sum(isinstance(one, RTCPeerConnection) for one in gc.get_objects())
    return Held(tasks, threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), connections)


def test_at_the_end_of_the_server_every_viewer_hears_a_goodbye(serve: Serve) -> None:
    client = serve()
    options = argparse.Namespace(codec=None, results=True, decode=False, token=None, lost=None)

    async def watch_until_the_end() -> None:
        peers = [await whep_peer.watch(f"{client.url}/whep/pattern", options) for _ in range(3)]
        await asyncio.to_thread(client.now.server.stop)
        # Without one, a viewer notices only after half a minute that nobody answers any more.
        async with asyncio.timeout(2):
            while any(peer.connection.connectionState != "closed" for peer in peers):
                await asyncio.sleep(0.02)
        await asyncio.gather(*(peer.connection.close() for peer in peers))

    asyncio.run(watch_until_the_end())
