"""One stream on its way from the pipeline to all who watch it: encoded once, then shared.

`publish` is called on the write thread, everything else on the loop's thread. Between the two stands a count of
deliveries under way: where the loop falls behind, pictures are left out before they are encoded, so that nothing piles
up and no decoder misses one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.planar_colours import PlanarConverter
from stream.web.bitrate import LinkReport, is_worth_a_change, shared_bps
from stream.web.frame_message import frame_message
from stream.web.keyframes import KeyframeWishes
from stream.web.picture_encoder import RTP_CLOCK, Codec, EncodedPicture, PictureEncoder, planar_picture

MOST_UNDER_WAY = 4
"""Deliveries that the loop has not got to yet."""


class Watcher(Protocol):
    """A viewer, as far as the broadcast knows one."""

    codec: Codec
    wants_results: bool

    @property
    def link(self) -> LinkReport:
        """What its connection can take."""

    def show(self, picture: EncodedPicture) -> None:
        """Send a picture; must not wait."""

    def tell(self, message: str) -> None:
        """Send a message; must not wait."""


@dataclass(slots=True)
class _Encoding:
    encoder: PictureEncoder
    wishes: KeyframeWishes
    bitrate_bps: int


class Broadcast:
    """The shared encoders of one stream, and its viewers."""

    def __init__(self, bitrate_bps: int, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Nobody watches.

        Args:
            bitrate_bps: of each encoder, at most.
            clock_ns: the clock that stamps `Frame.captured_at_ns`.
        """
        self.info: SourceInfo | None = None
        self.left_out = 0
        """Pictures that were not encoded because the loop was behind."""
        self.told: Callable[[], Mapping[str, Any]] = dict
        """What pages are told with every frame besides what the models say (asked on the write thread)."""
        self.most_bps = bitrate_bps
        self.bitrate_bps: dict[Codec, int] = {"H264": bitrate_bps, "VP8": bitrate_bps}
        """What the encoder of each codec takes at the moment."""
        self._clock_ns = clock_ns
        self._epoch_offset_ns = time.time_ns() - clock_ns()
        self._begin_ns = clock_ns()
        self._last_ticks = -1
        self._colours = PlanarConverter("bt601")
        self._encodings: dict[Codec, _Encoding] = {}
        self._wishes: dict[Codec, KeyframeWishes] = {"H264": KeyframeWishes(), "VP8": KeyframeWishes()}
        self._places = threading.BoundedSemaphore(MOST_UNDER_WAY)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: list[Watcher] = []
        self._wanted: frozenset[Codec] = frozenset()
        self._wants_results = False

    @property
    def viewers(self) -> Counter[Codec]:
        """How many watch, by codec."""
        return Counter(watcher.codec for watcher in self._watchers)

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._wanted)

    def join(self, watcher: Watcher) -> None:
        """Let somebody watch from the next keyframe on."""
        self._loop = asyncio.get_running_loop()
        self._watchers.append(watcher)
        self.look_again()
        self.ask_keyframe(watcher.codec)

    def leave(self, watcher: Watcher) -> None:
        """Let somebody go; one who has gone already may go again."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            self.look_again()

    def look_again(self) -> None:
        """See what the viewers want."""
        self._wanted = frozenset(watcher.codec for watcher in self._watchers)
        self._wants_results = any(watcher.wants_results for watcher in self._watchers)

    def adapt(self) -> None:
        """Set what the encoders take by what viewers have reported."""
        for codec, now_bps in self.bitrate_bps.items():
            links = [watcher.link for watcher in self._watchers if watcher.codec == codec]
            wanted_bps = shared_bps(links, self.most_bps)
            # All the way back, also by the last small step.
            if is_worth_a_change(now_bps, wanted_bps) or wanted_bps == self.most_bps:
                self.bitrate_bps[codec] = round(wanted_bps)

    def ask_keyframe(self, codec: Codec) -> None:
        """Ask for a keyframe, for a viewer who has lost something or has just come."""
        self._wishes[codec].ask()

    def tell_all(self, message: str) -> None:
        """Send a message to everybody who wants results."""
        for watcher in self._watchers:
            if watcher.wants_results:
                watcher.tell(message)

    def publish(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Encode one picture for all codecs that somebody watches, and hand it over; never waits for a viewer.

        Args:
            image: uint8 (H, W, 3), BGR; may be overwritten after the call.
            result: what the models said of it.
        """
        self._share(image, result.frame.captured_at_ns, result)

    def publish_again(self, image: NDArray[np.uint8]) -> None:
        """Encode the last picture once more, with other figures drawn on it; no frame stands behind it."""
        self._share(image, self._clock_ns(), None)

    def _share(self, image: NDArray[np.uint8], at_ns: int, result: FrameResult | None) -> None:
        wanted, loop = self._wanted, self._loop
        for codec in self._encodings.keys() - wanted:
            del self._encodings[codec]
        if not wanted or loop is None:
            return
        if not self._places.acquire(blocking=False):
            self.left_out += 1
            return
        try:
            began_ns = self._clock_ns()
            ticks = self._ticks(at_ns)
            pictures = self._encoded(image, ticks, wanted)
            encode_ms = (self._clock_ns() - began_ns) / 1e6
            message = self._message(result, ticks, encode_ms) if result and self._wants_results else None
            loop.call_soon_threadsafe(self._deliver, pictures, message)
        except RuntimeError:
            # The loop is closed: the server is ending, and so will the stream.
            self._places.release()

    def _encoded(
        self, image: NDArray[np.uint8], ticks: int, wanted: frozenset[Codec]
    ) -> list[tuple[Codec, EncodedPicture]]:
        picture = planar_picture(image, ticks, self._colours)
        size_wh = (picture.width, picture.height)
        pictures: list[tuple[Codec, EncodedPicture]] = []
        for codec in wanted:
            encoding = self._encodings.get(codec)
            bitrate_bps = self.bitrate_bps[codec]
            if encoding is not None and encoding.bitrate_bps != bitrate_bps:
                encoding = encoding if encoding.encoder.set_bitrate(bitrate_bps) else None
            if encoding is None or encoding.encoder.size_wh != size_wh:
                rate = self.info.rate if self.info is not None else None
                encoder = PictureEncoder(codec, size_wh, bitrate_bps, rate)
                encoding = self._encodings[codec] = _Encoding(encoder, self._wishes[codec], bitrate_bps)
            encoding.bitrate_bps = bitrate_bps
            is_keyframe = encoding.wishes.take(self._clock_ns())
            pictures += [(codec, one) for one in encoding.encoder.encode(picture, is_keyframe=is_keyframe)]
        return pictures

    def _ticks(self, at_ns: int) -> int:
        """A moment, of capture as a rule, in `RTP_CLOCK`; later than the one before it."""
        ticks = int(Fraction(at_ns - self._begin_ns, 1_000_000_000) * RTP_CLOCK)
        self._last_ticks = max(ticks, self._last_ticks + 1)
        return self._last_ticks

    def _message(self, result: FrameResult, ticks: int, encode_ms: float) -> str:
        captured_at_ms = (result.frame.captured_at_ns + self._epoch_offset_ns) / 1e6
        return frame_message(result, ticks, captured_at_ms, encode_ms, self.told())

    def _deliver(self, pictures: list[tuple[Codec, EncodedPicture]], message: str | None) -> None:
        self._places.release()
        for watcher in self._watchers:
            for codec, picture in pictures:
                if codec == watcher.codec:
                    watcher.show(picture)
            if message is not None and watcher.wants_results:
                watcher.tell(message)
