"""What a video file says it holds, against what was read: how a file that was cut off is told from a short one.

libav reports no error where a file simply ends, so the video source asks here, on the capture thread.
"""

from __future__ import annotations

import av
import av.container
import av.video

INDEXED_FORMAT = "mov,mp4,m4a,3gp,3g2,mj2"
"""Lists every packet before the first (fragmented files: as far as they reach)."""

COUNTING_FORMATS = frozenset({"avi"})
"""Write a count of frames in their header, off by one with some writers."""

TIMED_FORMATS = frozenset({"matroska,webm", "flv", "asf"})
"""Write their duration in the header; for the others libav measures it on what is there."""

SPARE_PACKETS = 2
SPARE_SHARE = 0.01
SPARE_SECONDS = 0.5
"""What may be missing before a file counts as cut off: writers' counts and durations are not exact."""


class Promise:
    """Keeps count of one file's packets while they are read."""

    def __init__(self, container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> None:
        """Note what the header says; nothing is read."""
        self._format = container.format.name
        self._stream = stream
        self._duration_s = (container.duration or 0) / av.time_base
        self._packets = 0
        self._end_s = 0.0

    def saw(self, packet: av.Packet[av.stream.Stream]) -> None:
        """Count a packet of any stream."""
        if packet.pts is None and packet.dts is None and not packet.size:
            return  # PyAV's empty packet that flushes a decoder
        if packet.stream_index == self._stream.index:
            self._packets += 1
        if packet.pts is not None and packet.time_base:
            self._end_s = max(self._end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))

    def frame_count(self) -> int | None:
        """Number of frames, as far as the header tells; an estimate by duration and rate where it does not count."""
        stream = self._stream
        if stream.frames and self._format == INDEXED_FORMAT:
            # Packets that are only decoded, not shown (before the first frame of a trimmed file), are in the index too.
            return sum(not entry.is_discard for entry in stream.index_entries)
        if stream.frames:
            return stream.frames
        rate = stream.average_rate
        return round(self._duration_s * float(rate)) or None if rate else None

    def missing(self) -> str:
        """What was promised and did not come, in words; empty where the promise was kept. Asked at the end."""
        promised = self._promised_packets()
        if promised - self._packets > max(SPARE_PACKETS, promised * SPARE_SHARE):
            return f"it promises {promised} and the rest is missing"
        spare_s = max(SPARE_SECONDS, self._duration_s * SPARE_SHARE)
        if self._format in TIMED_FORMATS and self._duration_s - self._end_s > spare_s:
            return f"it ends at {self._end_s:.1f} s of the {self._duration_s:.1f} s that it promises"
        return ""

    def _promised_packets(self) -> int:
        if self._format == INDEXED_FORMAT:
            return len(self._stream.index_entries)
        return self._stream.frames if self._format in COUNTING_FORMATS else 0
