"""Pictures become the packets that every viewer of a codec is sent: encoded once (write thread).

H.264 by x264 and VP8 by libvpx, both without a frame of delay. Their only keyframes are the first picture and those
that are asked for. Colours are BT.601, limited range, at every size: VP8 knows no other, and browsers take it for
granted where WebRTC's H.264 does not say (here it does).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from numpy.typing import NDArray

from stream.sinks.planar_colours import ITU601, PlanarConverter, with_even_sides

Codec = Literal["H264", "VP8"]

RTP_CLOCK = 90_000
"""Ticks a second of RTP time stamps; RFC 6184 for H.264, RFC 7741 for VP8."""

_NEVER = 2**30
"""Pictures between keyframes that nobody asked for."""

_ONE_THREAD_UP_TO_PX = 1920 * 1080
"""Below, x264 `ultrafast` is fast enough on one thread, and slices for several cost bits."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture as all viewers of its codec get it.

    Attributes:
        packet: the bitstream of exactly this picture; its `pts` counts in `RTP_CLOCK`.
        is_keyframe: whether a decoder can begin with it.
    """

    packet: Packet[av.stream.Stream]
    is_keyframe: bool


def planar_picture(image: NDArray[np.uint8], ticks: int, colours: PlanarConverter) -> av.VideoFrame:
    """What the encoders take: yuv420p with even sides and its time.

    Args:
        image: uint8 (H, W, 3), BGR; an odd side grows by one repeated line, because 4:2:0 has no odd sizes.
        ticks: presentation time in `RTP_CLOCK`.
        colours: for BT.601.
    """
    picture = colours.convert(with_even_sides(image))
    picture.pts = ticks
    picture.time_base = Fraction(1, RTP_CLOCK)
    return picture


class PictureEncoder:
    """One encoder for pictures of one size."""

    def __init__(self, codec: Codec, size_wh: tuple[int, int], bitrate_bps: int, rate: Fraction | None) -> None:
        """Make ready.

        Args:
            codec: `H264` or `VP8`.
            size_wh: of the planar pictures.
            bitrate_bps: what they take on average; no second takes much more.
            rate: pictures a second, for the share of bits of each; 30 where it is not known.
        """
        self.size_wh = size_wh
        self._codec = codec
        make = _h264 if codec == "H264" else _vp8
        self._context = make(bitrate_bps)
        self._context.width, self._context.height = size_wh
        self._context.pix_fmt = "yuv420p"
        self._context.bit_rate = bitrate_bps
        self._context.time_base = Fraction(1, RTP_CLOCK)
        self._context.framerate = rate or Fraction(30)
        self._context.gop_size = _NEVER
        self._context.thread_count = 1 if size_wh[0] * size_wh[1] <= _ONE_THREAD_UP_TO_PX else 0
        self._context.color_range = ColorRange.MPEG
        self._context.colorspace = ITU601
        self._context.color_primaries = ColorPrimaries.BT709
        self._context.color_trc = ColorTrc.BT709

    def set_bitrate(self, bitrate_bps: int) -> bool:
        """Take more or fewer bits from the next picture on; False where only a new encoder does (libvpx in libav)."""
        if self._codec == "H264":
            self._context.bit_rate = bitrate_bps
        return self._codec == "H264"

    def encode(self, picture: av.VideoFrame, *, is_keyframe: bool) -> list[EncodedPicture]:
        """The packet of this picture; none where the rate control of VP8 leaves a picture out.

        Args:
            picture: of `size_wh`, later than the one before.
            is_keyframe: whether a decoder must be able to begin here.
        """
        picture.pict_type = PictureType.I if is_keyframe else PictureType.NONE
        return [EncodedPicture(packet, packet.is_keyframe) for packet in self._context.encode(picture)]


def _h264(bitrate_bps: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "maxrate": str(bitrate_bps),
        "bufsize": str(bitrate_bps // 2),
    }
    return context


def _vp8(bitrate_bps: int) -> VideoCodecContext:
    context = av.CodecContext.create("libvpx", "w")
    context.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "minrate": str(bitrate_bps),
        "maxrate": str(bitrate_bps),
        "bufsize": str(bitrate_bps),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "static-thresh": "1",
    }
    return context
