"""Offers of SDP as viewers write them, made by aiortc; the refused ones are made of it by small changes."""

from __future__ import annotations

import asyncio
from functools import cache

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import get_capabilities


@cache
def an_offer(codec: str | None = None, *, direction: str = "recvonly", sections: int = 1) -> str:
    """An offer to receive video, of one codec alone where it is named; no connection stays behind."""

    async def make() -> str:
        connection = RTCPeerConnection(RTCConfiguration([]))
        for _ in range(sections):
            transceiver = connection.addTransceiver("video", direction=direction)
            if codec is not None:
                known = get_capabilities("video").codecs
                transceiver.setCodecPreferences([one for one in known if one.mimeType == f"video/{codec}"])
        await connection.setLocalDescription(await connection.createOffer())
        text = str(connection.localDescription.sdp)
        await connection.close()
        return text

    return asyncio.run(make())
