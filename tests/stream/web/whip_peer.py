"""A sender that is not ours: aiortc in a process of its own, which sends a test picture by WHIP, or as a camera.

    python -m tests.stream.web.whip_peer URL [--codec VP8] [--size 321x241] [--then 640x480] [--garbage] [--never]
        [--sound-first] [--receive] [--token TOKEN]

Prints `connected` when it is, and a line of JSON about what came back when standard input is closed. The line `mirror`
on standard input asks for that; `size` takes the size of `--then`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.codecs import get_capabilities
from aiortc.mediastreams import MediaStreamError
from av import Packet, VideoFrame

LEVELS = (200, 40)
"""Grey of the left half and of the right half."""


class TestPicture(VideoStreamTrack):
    """A picture at 30 a second, bright on the left and dark on the right."""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        super().__init__()
        self.size_wh = size_wh

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        width, height = self.size_wh
        image = np.full((height, width, 3), LEVELS[1], np.uint8)
        image[:, : width // 2] = LEVELS[0]
        picture = VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
        picture.pts, picture.time_base = pts, time_base
        return picture


class Garbage(VideoStreamTrack):
    """Packets of noise under the name of video."""

    async def recv(self) -> Any:
        pts, _ = await self.next_timestamp()
        packet = Packet(b"\x00\x00\x01" + os.urandom(3000))
        packet.pts, packet.time_base = pts, Fraction(1, 90_000)
        return packet


def size_of(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


async def post(url: str, sdp: str, token: str | None) -> tuple[str, str]:
    headers = {"Content-Type": "application/sdp"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, sdp.encode(), headers)
    try:
        response = await asyncio.to_thread(urllib.request.urlopen, request)
    except urllib.error.HTTPError as error:
        say(str(error.code))
        sys.exit(0)
    return response.headers["Location"], response.read().decode()


class Received:
    """What came back."""

    def __init__(self) -> None:
        self.frames = 0
        self.size_wh = (0, 0)
        self.left = self.right = 0.0
        self.messages: list[Any] = []

    async def read(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.frames += 1
            self.size_wh = (frame.width, frame.height)
            image = frame.to_ndarray(format="gray")
            quarter = frame.width // 4
            self.left = float(np.median(image[:, :quarter]))
            self.right = float(np.median(image[:, -quarter:]))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--codec", default="VP8")
    parser.add_argument("--size", default="320x240", type=size_of)
    parser.add_argument("--then", default="320x240", type=size_of)
    parser.add_argument("--token")
    for switch in ("--garbage", "--never", "--sound-first", "--receive"):
        parser.add_argument(switch, action="store_true")
    options = parser.parse_args()
    connection, received, connected = RTCPeerConnection(RTCConfiguration([])), Received(), asyncio.Event()
    if options.sound_first:
        connection.addTransceiver("audio", direction="sendonly")
    track = Garbage() if options.garbage else TestPicture(options.size)
    transceiver = connection.addTransceiver(track, direction="sendrecv" if options.receive else "sendonly")
    known = get_capabilities("video").codecs
    transceiver.setCodecPreferences([one for one in known if one.mimeType == f"video/{options.codec}"])
    channel = connection.createDataChannel("results") if options.receive else None
    reading: list[Any] = []

    @connection.on("connectionstatechange")
    def changed() -> None:
        if connection.connectionState == "connected":
            connected.set()

    @connection.on("track")
    def got(remote: Any) -> None:
        reading.append(asyncio.ensure_future(received.read(remote)))

    if channel is not None:
        channel.on("message", lambda text: received.messages.append(json.loads(text)))
    await connection.setLocalDescription(await connection.createOffer())
    _, answer = await post(options.url, connection.localDescription.sdp, options.token)
    if not options.never:
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.wait_for(connected.wait(), 20)
    say("connected")
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line == "mirror\n" and channel is not None:
            channel.send(json.dumps({"type": "camera", "mirrored": True}))
        elif line == "size\n" and isinstance(track, TestPicture):
            track.size_wh = options.then
    kinds = sorted({message["type"] for message in received.messages})
    about = {"frames": received.frames, "size": received.size_wh, "left": received.left, "right": received.right}
    say(json.dumps({**about, "kinds": kinds}))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
