"""Viewers that are not ours: aiortc's own receivers in a process of their own, which watch by WHEP.

    python -m tests.stream.web.whep_peer URL [--viewers N] [--codec VP8] [--decode] [--results] [--token TOKEN]
        [--lost SHARE]

Prints `connected` when all of them are, and a line of JSON about what they received when standard input is closed.
Its rates are those since the last line on standard input; the line `pli` asks for a keyframe.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import aiortc.rtcrtpreceiver
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.codecs.base import Decoder
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import SessionDescription
from av import VideoFrame


class NoDecoder(Decoder):
    """Counts pictures, and leaves them as they are."""

    pictures = 0
    bytes = 0

    def decode(self, encoded_frame: Any) -> list[Any]:
        NoDecoder.pictures += 1
        NoDecoder.bytes += len(encoded_frame.data)
        return []


@dataclass
class Peer:
    """One viewer, and what it got."""

    connection: RTCPeerConnection = field(
        default_factory=lambda: RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    )
    session: str = ""
    sizes: set[tuple[int, int]] = field(default_factory=set)
    frames: int = 0
    means: list[float] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    codec: str = ""


async def watch(url: str, options: argparse.Namespace) -> Peer:
    peer = Peer()
    transceiver = peer.connection.addTransceiver("video", direction="recvonly")
    if options.codec:
        known = get_capabilities("video").codecs
        transceiver.setCodecPreferences([one for one in known if one.mimeType == f"video/{options.codec}"])
    if options.results:
        channel = peer.connection.createDataChannel("results", ordered=False, maxRetransmits=0)
        channel.on("message", lambda text: peer.messages.append(json.loads(text)))
        channel.on("open", lambda: channel.send(json.dumps({"type": "ping", "sent": 1.5})))
    connected = asyncio.Event()

    @peer.connection.on("connectionstatechange")
    def changed() -> None:
        if peer.connection.connectionState == "connected":
            connected.set()

    if options.decode:

        @peer.connection.on("track")
        def got(track: Any) -> None:
            peer.reading = asyncio.ensure_future(read(peer, track))  # type: ignore[attr-defined]

    await peer.connection.setLocalDescription(await peer.connection.createOffer())
    headers = {"Content-Type": "application/sdp"}
    if options.token:
        headers["Authorization"] = f"Bearer {options.token}"
    request = urllib.request.Request(url, peer.connection.localDescription.sdp.encode(), headers)
    response = await asyncio.to_thread(urllib.request.urlopen, request)
    answer = response.read().decode()
    peer.session = response.headers["Location"]
    peer.codec = next(line for line in answer.splitlines() if line.startswith("a=rtpmap:")).split()[1].split("/")[0]
    await peer.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(connected.wait(), 20)
    return peer


async def read(peer: Peer, track: Any) -> None:
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        assert isinstance(frame, VideoFrame)
        peer.frames += 1
        peer.sizes.add((frame.width, frame.height))
        if peer.frames % 10 == 1:
            peer.means.append(float(frame.to_ndarray(format="bgr24").mean()))


async def ask_keyframe(peer: Peer) -> None:
    """Send a Picture Loss Indication (RFC 4585, 6.3.1) for the stream that the answer names."""
    media = SessionDescription.parse(peer.connection.remoteDescription.sdp).media[0]
    for receiver in peer.connection.getReceivers():
        await receiver._send_rtcp_pli(media.ssrc[0].ssrc)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--codec")
    parser.add_argument("--token")
    parser.add_argument("--lost", type=float, help="share of packets that reports call lost, 0 to 1")
    for switch in ("--decode", "--results"):
        parser.add_argument(switch, action="store_true")
    options = parser.parse_args()
    if not options.decode:
        aiortc.rtcrtpreceiver.get_decoder = lambda codec: NoDecoder()  # type: ignore[attr-defined] # noqa: ARG005
    if options.lost is not None:
        lost = round(256 * options.lost)
        aiortc.rtcrtpreceiver.StreamStatistics.fraction_lost = property(lambda _: lost)  # type: ignore[assignment,method-assign]
    peers = [await watch(options.url, options) for _ in range(options.viewers)]
    say("connected")
    began, pictures, size = time.monotonic(), NoDecoder.pictures, NoDecoder.bytes
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line == "pli\n":
            await asyncio.gather(*(ask_keyframe(peer) for peer in peers))
        began, pictures, size = time.monotonic(), NoDecoder.pictures, NoDecoder.bytes
    shares = (time.monotonic() - began) * len(peers)
    say(
        json.dumps(
            {
                "codec": peers[0].codec,
                "pictures_per_second": (NoDecoder.pictures - pictures) / shares,
                "kbit_per_second": (NoDecoder.bytes - size) / shares / 125,
                "frames": [peer.frames for peer in peers],
                "sizes": sorted(peers[0].sizes),
                "means": peers[0].means,
                "messages": peers[0].messages,
            }
        )
    )
    await asyncio.gather(*(peer.connection.close() for peer in peers))


if __name__ == "__main__":
    asyncio.run(main())
