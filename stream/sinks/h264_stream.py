"""Pictures become H.264 packets: the settings, the colours, the time stamps; used by the video sink (write thread).

Every frame keeps the time that its source gave it, to the tick. The colours are those of the canvas: BT.709 matrix from
720 lines up and BT.601 below, limited range, and the stream says so. Primaries and transfer are always tagged BT.709,
because the drawn colours are those of a computer screen, and a player must not bend them.
"""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stream.frame import Frame, SourceInfo
from stream.sinks.planar_colours import ITU601, ITU709, PlanarConverter, with_even_sides

PRESET = "superfast"
"""x264's trade of speed for size; with macroblock-tree rate control, which it leaves out, it is as small as `veryfast`.

Of two real clips at 1280x720: 437 against 418 and 777 against 768 kB, 42.55 against 42.75 and 44.67 against 44.68 dB,
2.6 against 3.2 and 3.2 against 5.9 ms of processor time a frame.
"""

CRF = 23
"""x264's constant quality, 0 (lossless) to 51."""

KEYFRAME_SECONDS = 2
"""The longest way between keyframes, in media time: how far a player seeks at most."""

DELAY_SECONDS = Fraction(1, 2)
"""How long the encoder may hold a frame back, in media time; it is what a crash loses besides one fragment."""

LOOKAHEAD_FRAMES = 10
"""Frames that x264 looks ahead to spread the bits, within DELAY_SECONDS."""

MAX_THREADS = 6
"""Frame threads of x264: each holds a frame back, so a machine with many cores does not get one for every core."""

MIN_TIMESCALE = 10_000
"""Coarser clocks are multiplied: players keep audio and video together better on a fine one."""

MAX_TIMESCALE = 10_000_000
"""Finer clocks would overflow MP4's 32-bit durations at pauses of minutes; they are rounded to microseconds."""

_BT601_LINES_BELOW = 720


def video_timescale(time_base: Fraction) -> int:
    """Ticks a second of the written track: an exact multiple of the source's clock.

    Args:
        time_base: seconds a tick of the source: 1/12800, 1001/30000.
    """
    scale = time_base.denominator
    if scale > MAX_TIMESCALE:
        return 1_000_000
    while scale < MIN_TIMESCALE:
        scale *= 2
    return scale


def encoder_options(rate: Fraction | None) -> dict[str, str]:
    """The settings of libx264, such that it holds back no more than DELAY_SECONDS at the source's rate.

    No B-frames: a picture is written as soon as it is encoded, and decoding order is presentation order.

    Args:
        rate: declared frames a second, or None where there is none to count on; then no frame is held back.
    """
    options = {"preset": PRESET, "mbtree": "1", "crf": str(CRF), "bf": "0", "forced-idr": "1"}
    delay_frames = int(rate * DELAY_SECONDS) if rate else 0
    if delay_frames < 3:
        return {**options, "tune": "zerolatency", "threads": str(min(os.cpu_count() or 1, MAX_THREADS))}
    threads = max(1, min(os.cpu_count() or 1, MAX_THREADS, delay_frames // 2))
    lookahead = min(LOOKAHEAD_FRAMES, delay_frames - threads)
    return {**options, "threads": str(threads), "rc-lookahead": str(lookahead)}


class H264Stream:
    """The video stream of one output file.

    Attributes:
        timescale: ticks a second of the packets.
        size_wh: of the pictures that it takes.
        last_seconds: presentation time of the last frame in the source, None before the first.
        end_seconds: when the last frame leaves the screen, None before the first.
    """

    def __init__(self, container: OutputContainer, info: SourceInfo) -> None:
        """Add the stream to a container that was not started yet."""
        self.timescale = video_timescale(info.time_base)
        self.last_seconds: Fraction | None = None
        self.end_seconds: Fraction | None = None
        self.size_wh = (info.width, info.height)
        self._matrix = ITU709 if info.height >= _BT601_LINES_BELOW else ITU601
        self._colours = PlanarConverter("bt709" if self._matrix == ITU709 else "bt601")
        self._held: Packet[VideoStream] | None = None
        self._last_ticks: int | None = None
        self._keyframe_ticks: int | None = None
        self._duration_ticks = max(1, round(self.timescale / info.rate)) if info.rate else self.timescale // 25
        self.stream = self._add_stream(container, info)

    def encode(self, image: NDArray[np.uint8], frame: Frame) -> list[Packet[VideoStream]]:
        """The packets that are ready once this picture is known.

        Args:
            image: uint8 (H, W, 3), BGR, of `size_wh`.
            frame: gives the time. One that is not later than the frame before it (broken files have such) is moved to
                one tick after it, because no container can hold it otherwise.
        """
        picture = self._colours.convert(with_even_sides(image))
        picture.pts = self._ticks(frame)
        picture.time_base = Fraction(1, self.timescale)
        if self._keyframe_ticks is None or picture.pts - self._keyframe_ticks >= KEYFRAME_SECONDS * self.timescale:
            picture.pict_type = PictureType.I
            self._keyframe_ticks = picture.pts
        return self._timed(self.stream.encode(picture))

    def finish(self) -> list[Packet[VideoStream]]:
        """The packets of the frames that were held back."""
        packets = self._timed(self.stream.encode(None))
        if self._held is not None:
            self._held.duration = self._duration_ticks
            packets.append(self._held)
            self._held = None
        return packets

    def _add_stream(self, container: OutputContainer, info: SourceInfo) -> VideoStream:
        stream = container.add_stream("libx264", rate=info.rate, options=encoder_options(info.rate))
        codec = stream.codec_context
        # yuv420p holds one colour for 2x2 pixels, so that H.264 has no odd sizes.
        codec.width, codec.height = info.width + info.width % 2, info.height + info.height % 2
        codec.pix_fmt = "yuv420p"
        codec.time_base = Fraction(1, self.timescale)
        codec.gop_size = 2**30  # Keyframes are asked for by time, above: frames say nothing of it where rates vary.
        codec.color_range = ColorRange.MPEG
        codec.colorspace = self._matrix
        codec.color_primaries = ColorPrimaries.BT709
        codec.color_trc = ColorTrc.BT709
        stream.time_base = codec.time_base
        return stream

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        """The packets whose successor is known, and with it how long their picture stays; the newest is held back.

        libav begins an MP4 fragment where the last picture of the one before ends, so a wrong duration there would move
        the next picture in time.
        """
        ready = []
        for packet in packets:
            if self._held is not None and packet.pts is not None and self._held.pts is not None:
                self._held.duration = packet.pts - self._held.pts
                ready.append(self._held)
            self._held = packet
        return ready

    def _ticks(self, frame: Frame) -> int:
        seconds = frame.pts * frame.time_base
        self.last_seconds = seconds if self.last_seconds is None else max(seconds, self.last_seconds)
        ticks = round(seconds * self.timescale)
        if self._last_ticks is not None:
            ticks = max(ticks, self._last_ticks + 1)
            self._duration_ticks = ticks - self._last_ticks
        self._last_ticks = ticks
        self.end_seconds = Fraction(ticks + self._duration_ticks, self.timescale)
        return ticks
