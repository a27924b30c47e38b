"""The way in: pictures of a connection's video, decoded by aiortc on a thread of its own (loop's thread).

Nothing is inferred here, and nothing waits: each picture is handed on at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import time
from collections.abc import Callable
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

from stream.web.prompt_buffer import hand_over_promptly

MOST_UNDECODED = 30
"""Pictures that may wait for the decoder: a second's worth. More, and it begins anew at a keyframe."""

LEAST_BETWEEN_PLI_SECONDS = 1.0

_log = logging.getLogger("mirilla")


class Intake:
    """Takes what the other side of a connection sends; made before its offer is answered."""

    def __init__(self, connection: RTCPeerConnection, put: Callable[[av.VideoFrame], None]) -> None:
        """Wait for the track.

        Args:
            connection: whose video is taken.
            put: given every picture, in order; must not wait.
        """
        self._connection = connection
        self._put = put
        self._pumping: asyncio.Task[None] | None = None
        self._asked_seconds = 0.0
        connection.on("track", self._begin)

    async def end(self) -> None:
        """Take nothing more."""
        if self._pumping is not None:
            self._pumping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pumping

    def _begin(self, track: MediaStreamTrack) -> None:
        if track.kind == "video" and self._pumping is None:
            receiver = next(one for one in self._connection.getReceivers() if one.track is track)
            hand_over_promptly(receiver)
            self._pumping = asyncio.get_running_loop().create_task(self._pump(track, receiver))

    async def _pump(self, track: MediaStreamTrack, receiver: RTCRtpReceiver) -> None:
        # aiortc has no public place for either, and leaves its queue without a bound.
        undecoded: queue.Queue[Any] = vars(receiver)["_RTCRtpReceiver__decoder_queue"]
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            if isinstance(picture, av.VideoFrame):
                self._put(picture)
            if undecoded.qsize() > MOST_UNDECODED:
                await self._begin_anew(receiver, undecoded)

    async def _begin_anew(self, receiver: RTCRtpReceiver, undecoded: queue.Queue[Any]) -> None:
        """Leave out what waits, and ask for a picture that a decoder can begin with."""
        with contextlib.suppress(queue.Empty):
            while True:
                left_out = undecoded.get_nowait()
                if left_out is None:
                    # Told the decoder to end.
                    undecoded.put(left_out)
                    return
        _log.debug("a sender is faster than the decoder: pictures were left out")
        now = time.monotonic()
        if now - self._asked_seconds >= LEAST_BETWEEN_PLI_SECONDS:
            self._asked_seconds = now
            for source in receiver.getSynchronizationSources():
                await receiver._send_rtcp_pli(source.source)
