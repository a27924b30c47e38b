"""One browser or player that watches a stream: its connection, its pictures, its data channel (loop's thread)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel, RTCRtpSender

from stream.web.broadcast import Broadcast
from stream.web.connections import Connections
from stream.web.offer import Offer, OfferError
from stream.web.picture_encoder import EncodedPicture
from stream.web.shared_track import SharedTrack

MOST_BUFFERED_BYTES = 64 * 1024
"""What may wait in a data channel before messages are left out; also the largest message that every browser takes."""

_LONGEST_PING = 256
_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 1.5
_log = logging.getLogger("mirilla")


class Viewer:
    """A connection to one viewer; made for one offer, closed once."""

    def __init__(
        self, broadcast: Broadcast, offer: Offer, on_gone: Callable[[Viewer], None], connections: Connections
    ) -> None:
        """Nothing is opened yet.

        Args:
            broadcast: what is watched.
            offer: the viewer's.
            on_gone: called once when the connection has failed or was ended by the viewer.
            connections: makes the connection.
        """
        self.codec = offer.codec
        self.wants_results = False
        self.messages_dropped = 0
        self._broadcast = broadcast
        self._offer = offer
        self._on_gone = on_gone
        self._channel: RTCDataChannel | None = None
        self._told_origin = False
        self._packets_received = 0
        self._silent_checks = 0
        self.is_connected = False
        self._connections = connections
        self._connection = connections.make()
        self.track = SharedTrack(lambda: broadcast.ask_keyframe(offer.codec))
        self._sender = self._add_track()
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._channel_opened)

    async def answer(self) -> str:
        """Open the connection and say how to reach it.

        Returns:
            The SDP answer, with all candidates in it.

        Raises:
            OfferError: the offer contradicts itself.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._connections.answer(self._connection, self._offer.sdp)
        except Exception as error:
            # aiortc lets through whatever it stumbles over in what the other side has written.
            _log.debug("an offer was refused", exc_info=error)
            raise OfferError(400, "the offer cannot be answered: it contradicts itself") from error

    async def close(self) -> None:
        """Say goodbye and free everything; takes a bounded time, whatever the other side does."""
        self._broadcast.leave(self)
        self.track.stop()
        self._connection.remove_listener("connectionstatechange", self._state_changed)
        try:
            await asyncio.wait_for(self._connection.close(), _CLOSE_SECONDS)
        except TimeoutError:
            _log.debug("a viewer's connection did not close in time")

    def show(self, picture: EncodedPicture) -> None:
        """Send a picture."""
        self.track.put(picture)

    def tell(self, message: str) -> None:
        """Send a message; it is left out where the channel is behind."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        # Sizes in characters: what is not ASCII is rare, and the limit is a soft one.
        if channel.bufferedAmount + len(message) > MOST_BUFFERED_BYTES:
            self.messages_dropped += 1
            return
        if not self._told_origin:
            self._tell_origin(channel)
        channel.send(message)

    async def silent_checks(self) -> int:
        """How often in a row this was asked while nothing came from the viewer; browsers report once a second."""
        stats = await self._sender.getStats()
        received: int = sum(entry.packetsReceived for entry in stats.values() if entry.type == "transport")
        self._silent_checks = self._silent_checks + 1 if received == self._packets_received else 0
        self._packets_received = received
        return self._silent_checks

    def _add_track(self) -> RTCRtpSender:
        transceiver = self._connection.addTransceiver(self.track, direction="sendonly")
        offered = (f"video/{self.codec}".lower(), "video/rtx")
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in capabilities if codec.mimeType.lower() in offered])
        sender = transceiver.sender
        codec, broadcast = self.codec, self._broadcast
        # Where aiortc leaves PLI and FIR for its own encoder, which is idle here; it has no public place for them.
        sender._send_keyframe = lambda: broadcast.ask_keyframe(codec)  # type: ignore[method-assign]
        return sender

    def _tell_origin(self, channel: RTCDataChannel) -> None:
        """Say which RTP time stamp stands for 0 in the messages' `pts`, so that a page can tell which frame it shows.

        aiortc adds a random number that it does not tell; the difference to what was last sent is that number.
        """
        sent: int = getattr(self._sender, "_RTCRtpSender__rtp_timestamp", 0)
        if self.track.last_ticks is not None and sent:
            origin = (sent - self.track.last_ticks) % 2**32
            channel.send(json.dumps({"type": "origin", "rtp_origin": origin}))
            self._told_origin = True

    async def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and not self.is_connected:
            self.is_connected = True
            self._broadcast.join(self)
        elif state in ("failed", "closed"):
            self._on_gone(self)

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            channel.close()
            return
        self._channel = channel
        self.wants_results = True
        self._broadcast.look_again()
        channel.on("message", self._answer_ping)
        channel.on("close", lambda: self._on_gone(self))

    def _answer_ping(self, message: str | bytes) -> None:
        """`{"type": "ping", "sent": NUMBER}` is answered with the server's time, by which a page sets its clock."""
        if len(message) > _LONGEST_PING or self._channel is None:
            return
        try:
            content: Any = json.loads(message)
        except ValueError:
            return
        if isinstance(content, dict) and content.get("type") == "ping" and isinstance(content.get("sent"), int | float):
            self.tell(json.dumps({"type": "pong", "sent": content["sent"], "server_ms": time.time() * 1000}))
