"""The source's sound, copied packet for packet into a video file beside the annotated pictures (write thread).

The copy reads the source's file a second time, just as far as the pictures have come, so that memory stays bounded
and an unfinished recording has its sound too. Only what the container cannot hold is encoded anew, as AAC. Sound that
turns out broken is left out with a warning: it never costs the pictures.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from stream.frame import AudioTrack
from stream.sources.address import redacted
from stream.sources.network_stream import HTTP_OPTIONS

MP4_CODECS = frozenset({"aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"})
"""What is copied into MP4: what players expect there. The muxer would take more (Vorbis, PCM) that browsers refuse."""

AAC_BITS_PER_SECOND = 96_000
"""For each channel, where sound is encoded anew."""

TAIL_SECONDS = 30
"""So much sound without a picture after the last one written means that the source has none left either."""

NETWORK_SECONDS = 5.0
"""How long pictures wait for sound that is read over a network."""

_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})
_MAX_ERRORS = 4  # Packets that libav may still hold when the first one fails.

_log = logging.getLogger("mirilla")


class AudioCopy:
    """One audio stream on its way from the source's file into the output."""

    def __init__(self, track: AudioTrack, container: OutputContainer) -> None:
        """Open the source's file and add the stream to a container that was not started yet.

        Raises:
            av.FFmpegError, ValueError, IndexError: the sound cannot be read, or not be written in this container.
        """
        self._name = redacted(f"{track.path} stream {track.stream_index}")
        self._container = container
        self._input = _opened(track.path)
        try:
            source = self._input.streams[track.stream_index]
            if not isinstance(source, AudioStream):
                raise ValueError(f"{self._name}: expected audio, got {source.type}")
            self._source = source
            self._encoder = None if self._is_kept(container) else _add_aac(container, source)
            self._target = self._encoder or container.add_stream_from_template(source)
        except BaseException:
            self._input.close()
            raise
        self._resampler = self._make_resampler()
        self._unframer = self._make_unframer()
        # The pictures' packets are read along, undecoded: where the run ends before them, the sound ends with it.
        pictures = self._input.streams.best("video")
        self._demuxed = self._input.demux([source, pictures] if pictures is not None else [source])
        self._pictures_seen_until = Fraction(-1)
        self._waiting: Packet[AudioStream] | None = None
        self._last_dts: int | None = None
        self._ended = False
        self._errors = 0

    def write_until(self, seconds: Fraction) -> None:
        """Write the sound up to a time, so that sound and pictures lie side by side in the file.

        Args:
            seconds: presentation time of the picture that is written next.

        Raises:
            av.FFmpegError: the disk took no more.
        """
        with self._survive():
            while (packet := self._waiting or self._next_packet()) is not None:
                self._waiting = packet
                if _starts_at(packet) > seconds:
                    return
                self._waiting = None
                self._write(packet)

    def finish(self, last_seconds: Fraction, end_seconds: Fraction) -> None:
        """Write what is left: all of it where the last picture was the source's last, else up to its end.

        Args:
            last_seconds: presentation time of the last picture.
            end_seconds: when it leaves the screen.

        Raises:
            av.FFmpegError: the disk took no more.
        """
        with self._survive():
            held: list[Packet[AudioStream]] = []
            while (packet := self._waiting or self._next_packet()) is not None:
                self._waiting = None
                held.append(packet)
                if self._pictures_seen_until > last_seconds:
                    if _starts_at(packet) >= end_seconds:
                        break
                elif _starts_at(packet) > end_seconds + TAIL_SECONDS:
                    self._write_all(held)
                    held.clear()
            if self._pictures_seen_until > last_seconds:
                held = [packet for packet in held if _starts_at(packet) < end_seconds]
            self._write_all(held)
            self._flush_encoder()

    def give_up(self, error: Exception) -> bool:
        """Leave the rest of the sound out after an error; libav may report it when the next picture is written.

        Returns:
            Whether the error can be the sound's; False for a disk that takes no more, and where errors do not end.
        """
        if getattr(error, "errno", None) in _DISK_ERRORS or self._errors >= _MAX_ERRORS:
            return False
        if self._errors == 0:
            _log.warning("%s: the sound is broken and ends here (%s)", self._name, redacted(str(error)))
        self._errors += 1
        self._ended, self._waiting = True, None
        return True

    def close(self) -> None:
        """Release the source's file."""
        self._ended = True
        self._input.close()

    def _is_kept(self, container: OutputContainer) -> bool:
        name = self._source.codec.canonical_name
        return name in (MP4_CODECS if container.format.name == "mp4" else container.supported_codecs)

    def _make_resampler(self) -> av.AudioResampler | None:
        if self._encoder is None:
            return None
        codec = self._encoder.codec_context
        return av.AudioResampler(format=codec.format, layout=codec.layout, rate=codec.sample_rate, frame_size=1024)

    def _make_unframer(self) -> BitStreamFilterContext | None:
        # AAC from a transport stream carries a header in every packet; MP4 wants it once, before the first.
        is_framed = self._source.codec.canonical_name == "aac" and not self._source.codec_context.extradata
        if self._encoder is None and is_framed and self._container.format.name == "mp4":
            return BitStreamFilterContext("aac_adtstoasc", self._source)
        return None

    def _next_packet(self) -> Packet[AudioStream] | None:
        if self._ended:
            return None
        for packet in self._demuxed:
            if packet.pts is None:
                packet.pts = packet.dts
            if packet.pts is None:
                continue  # The mark at the end of a stream, or a packet without a place in time.
            if packet.stream_index == self._source.index:
                return cast("Packet[AudioStream]", packet)
            if not packet.is_discard:
                self._pictures_seen_until = max(self._pictures_seen_until, packet.pts * packet.time_base)
        self._ended = True
        return None

    def _write_all(self, packets: list[Packet[AudioStream]]) -> None:
        for packet in packets:
            self._write(packet)

    def _write(self, packet: Packet[AudioStream]) -> None:
        if self._resampler is not None:
            for frame in self._decode(packet):
                self._encode(frame)
            return
        if packet.dts is None:
            packet.dts = packet.pts
        begins_before_zero = packet.pts is not None and packet.pts < 0
        goes_backwards = self._last_dts is not None and packet.dts is not None and packet.dts <= self._last_dts
        # Matroska has no times below 0 and would move the pictures instead; what lies there is the codec's run-up.
        if goes_backwards or (begins_before_zero and self._container.format.name != "mp4"):
            return
        self._last_dts = packet.dts
        for whole in [packet] if self._unframer is None else self._unframer.filter(packet):
            whole.stream = self._target
            self._container.mux(whole)

    def _decode(self, packet: Packet[AudioStream]) -> list[AudioFrame]:
        try:
            return packet.decode()
        except av.InvalidDataError as error:
            # As a player does: a damaged packet is a moment of silence, not the end of the sound.
            _log.warning("%s: damaged sound at %.3f s (%s)", self._name, _starts_at(packet), error.strerror)
            return []

    def _encode(self, frame: AudioFrame | None) -> None:
        if self._encoder is not None and self._resampler is not None:
            for resampled in self._resampler.resample(frame):
                self._container.mux(self._encoder.encode(resampled))

    def _flush_encoder(self) -> None:
        if self._encoder is not None:
            self._encode(None)
            self._container.mux(self._encoder.encode(None))

    @contextmanager
    def _survive(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, ValueError) as error:
            if not self.give_up(error):
                raise


def _opened(path: Path | str) -> InputContainer:
    if isinstance(path, Path):
        return av.open(str(path.absolute()))
    return av.open(path, options=HTTP_OPTIONS, timeout=NETWORK_SECONDS)


def _starts_at(packet: Packet[AudioStream]) -> Fraction:
    return (packet.pts or 0) * packet.time_base


def _add_aac(container: OutputContainer, source: AudioStream) -> AudioStream:
    rate = source.codec_context.sample_rate
    layout = "mono" if source.codec_context.channels == 1 else "stereo"
    stream = container.add_stream("aac", rate=rate if rate in _AAC_RATES else 48_000)
    stream.codec_context.layout = layout
    stream.codec_context.bit_rate = AAC_BITS_PER_SECOND * (1 if layout == "mono" else 2)
    return stream
