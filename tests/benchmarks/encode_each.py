"""The usual aiortc server, to measure beside ours: a player, a relay, and an encoder of its own for each viewer.

Run as `python -m tests.benchmarks.encode_each CLIP PORT`.
"""

from __future__ import annotations

import sys

import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRelay
from fastapi import FastAPI, Request, Response

app = FastAPI()
relay = MediaRelay()
connections: list[RTCPeerConnection] = []
players: list[MediaPlayer] = []


@app.get("/healthz")
def health() -> bool:
    return True


@app.post("/whep/clip")
async def watch(request: Request) -> Response:
    """Answer an offer with H.264."""
    if not players:
        players.append(MediaPlayer(sys.argv[1], loop=True))
    connection = RTCPeerConnection(RTCConfiguration([]))
    connections.append(connection)
    picture = players[0].video
    assert picture is not None
    transceiver = connection.addTransceiver(relay.subscribe(picture), direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in known if codec.mimeType == "video/H264"])
    await connection.setRemoteDescription(RTCSessionDescription((await request.body()).decode(), "offer"))
    await connection.setLocalDescription()
    return Response(connection.localDescription.sdp, 201, {"Location": "/"}, "application/sdp")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
