"""One browser or player that watches a stream: its pictures and its data channel (loop's thread)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel, RTCRtpSender
from aiortc.rtp import RTCP_PSFB_APP, AnyRtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpSrPacket, unpack_remb_fci

from stream.web.bitrate import Link, LinkReport
from stream.web.broadcast import Broadcast
from stream.web.connections import Connections
from stream.web.offer import Offer
from stream.web.peer import Peer
from stream.web.picture_encoder import EncodedPicture
from stream.web.shared_track import SharedTrack

MOST_BUFFERED_BYTES = 64 * 1024
"""What may wait in a data channel before messages are left out; also the largest message that every browser takes."""

_LONGEST_MESSAGE = 256
_LEAST_RATED_SECONDS = 0.5


class Viewer(Peer):
    """A connection to one viewer."""

    direction = "sendonly"

    def __init__(
        self,
        broadcast: Broadcast,
        offer: Offer,
        on_gone: Callable[[], None],
        connections: Connections,
    ) -> None:
        """Nothing is opened yet.

        Args:
            broadcast: what is watched.
            offer: the other side's.
            on_gone: called when the connection has failed or was ended by the other side.
            connections: makes the connection.
        """
        super().__init__(offer, on_gone, connections)
        self.wants_results = False
        self.messages_dropped = 0
        self._broadcast = broadcast
        self._channel: RTCDataChannel | None = None
        self._told_origin = False
        self._link = Link(broadcast.most_bps)
        self._rated = (time.monotonic(), 0)
        self._sent_bps = 0.0
        self.track = SharedTrack(lambda: broadcast.ask_keyframe(offer.codec))
        self._sender = self._add_track()
        self._connection.on("datachannel", self._channel_opened)

    async def close(self) -> None:
        """Say goodbye and free everything."""
        self._broadcast.leave(self)
        self.track.stop()
        await super().close()

    def connected(self) -> None:
        """Begin to watch."""
        self._broadcast.join(self)

    @property
    def link(self) -> LinkReport:
        """What the connection can take, by the viewer's reports."""
        return self._link.report

    def tell_sent(self) -> None:
        """Say what was sent to this viewer, and how its reports are."""
        report = self.link
        about = {
            "type": "sent",
            "codec": self.codec,
            "bitrate_kbps": round(self._broadcast.bitrate_bps[self.codec] / 1000),
            "link_kbps": round(report.bitrate_bps / 1000),
            "lost_share": round(report.lost_share, 3),
            "pictures": self.track.sent,
            "bytes": self.track.sent_bytes,
            "dropped": self.track.dropped,
            "messages_dropped": self.messages_dropped,
        }
        self.tell(json.dumps(about))

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

    def hear(self, message: dict[str, Any]) -> None:
        """Take a message of the other side; what it does not mean to say is ignored."""
        if message.get("type") == "ping" and isinstance(message.get("sent"), int | float):
            # With the server's time a page sets its clock.
            self.tell(json.dumps({"type": "pong", "sent": message["sent"], "server_ms": time.time() * 1000}))

    def _add_track(self) -> RTCRtpSender:
        transceiver = self._connection.addTransceiver(self.track, direction=self.direction)
        self._keep_codec(transceiver)
        sender = transceiver.sender
        codec, broadcast = self.codec, self._broadcast
        # Where aiortc leaves PLI and FIR for its own encoder, which is idle here; it has no public place for them.
        sender._send_keyframe = lambda: broadcast.ask_keyframe(codec)  # type: ignore[method-assign]
        handle = sender._handle_rtcp_packet

        async def hear_report(packet: AnyRtcpPacket) -> None:
            self._take_report(packet, sender._ssrc)
            await handle(packet)

        # And nobody is told of reports before aiortc has averaged them away.
        sender._handle_rtcp_packet = hear_report  # type: ignore[method-assign]
        return sender

    def _take_report(self, packet: AnyRtcpPacket, ssrc: int) -> None:
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == ssrc:
                    self._link.lost(report.fraction_lost / 256)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                limit_bps, sources = unpack_remb_fci(packet.fci)
            except ValueError:
                return
            if ssrc in sources:
                self._link.limited(limit_bps, self._lately_sent_bps())

    def _lately_sent_bps(self) -> float:
        now, sent = time.monotonic(), self.track.sent_bytes
        since, before = self._rated
        if now - since >= _LEAST_RATED_SECONDS:
            self._sent_bps = 8 * (sent - before) / (now - since)
            self._rated = (now, sent)
        return self._sent_bps

    def _tell_origin(self, channel: RTCDataChannel) -> None:
        """Say which RTP time stamp stands for 0 in the messages' `pts`, so that a page can tell which frame it shows.

        aiortc adds a random number that it does not tell; the difference to what was last sent is that number.
        """
        sent: int = getattr(self._sender, "_RTCRtpSender__rtp_timestamp", 0)
        if self.track.last_ticks is not None and sent:
            origin = (sent - self.track.last_ticks) % 2**32
            channel.send(json.dumps({"type": "origin", "rtp_origin": origin}))
            self._told_origin = True

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            channel.close()
            return
        self._channel = channel
        self.wants_results = True
        self._broadcast.look_again()
        channel.on("message", self._read)
        channel.on("close", self._on_gone)

    def _read(self, message: str | bytes) -> None:
        if len(message) > _LONGEST_MESSAGE:
            return
        try:
            content: Any = json.loads(message)
        except ValueError:
            return
        if isinstance(content, dict):
            self.hear(content)
