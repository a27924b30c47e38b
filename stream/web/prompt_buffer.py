"""aiortc's jitter buffer, without its wait: a picture is whole with the packet that says so (loop's thread).

aiortc 1.16 takes a picture for whole when the first packet of the next one has come, which is a frame's time later. The
last packet of a picture is marked (RFC 6184, section 5.1, and RFC 7741, section 4.1); where a sender does not mark it,
the next picture tells, as before.
"""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from typing_extensions import override

CAPACITY = 512
"""Packets, as aiortc has it for video."""


class PromptBuffer(JitterBuffer):
    """Puts packets in order and gives out whole pictures."""

    def __init__(self) -> None:
        """Hold nothing."""
        super().__init__(CAPACITY, is_video=True)

    @override
    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        return super()._remove_frame(sequence_number) or self._marked_frame()

    def _marked_frame(self) -> JitterFrame | None:
        if self._origin is None:
            return None
        packets: list[RtpPacket] = []
        for number in range(self._origin, self._origin + CAPACITY):
            packet = self._packets[number % CAPACITY]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                return None
            packets.append(packet)
            if packet.marker:
                self.remove(len(packets))
                # aiortc hangs what it has unpacked on the packet.
                data = b"".join(getattr(one, "_data", b"") for one in packets)
                return JitterFrame(data, packets[0].timestamp)
        return None


def hand_over_promptly(receiver: RTCRtpReceiver) -> None:
    """Let a receiver that has received nothing yet give out pictures without waiting for the next."""
    vars(receiver)["_RTCRtpReceiver__jitter_buffer"] = PromptBuffer()
