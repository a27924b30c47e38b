from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from models.results import Classification
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.web.bitrate import LinkReport
from stream.web.broadcast import MOST_UNDER_WAY, Broadcast
from stream.web.picture_encoder import Codec, EncodedPicture
from stream.web.web_sink import WebSink

SECOND_NS = 1_000_000_000
BITRATE_BPS = 500_000


class ScriptedWatcher:
    """Remembers what it was shown and told."""

    def __init__(self, codec: Codec = "H264", *, wants_results: bool = False) -> None:
        self.codec: Codec = codec
        self.link = LinkReport(BITRATE_BPS, 0.0)
        self.wants_results = wants_results
        self.pictures: list[EncodedPicture] = []
        self.messages: list[str] = []

    def show(self, picture: EncodedPicture) -> None:
        self.pictures.append(picture)

    def tell(self, message: str) -> None:
        self.messages.append(message)


class ScriptedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def result(index: int, captured_at_ns: int, size_wh: tuple[int, int] = (64, 48)) -> FrameResult:
    width, height = size_wh
    image = np.full((height, width, 3), 40 * index % 256, np.uint8)
    frame = Frame(image, index, Fraction(1, 25), index, captured_at_ns)
    answer = Classification("image_classification", np.array([0], np.int64), np.array([1.0], np.float32), ("yes",))
    return FrameResult(frame, {"scripted": answer}, {"scripted": {"inference": 2.5}})


def with_broadcast(test: Callable[[Broadcast, ScriptedClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = ScriptedClock()
        await test(Broadcast(BITRATE_BPS, clock_ns=clock), clock)

    asyncio.run(run())


async def publish(broadcast: Broadcast, one: FrameResult) -> None:
    """As the write thread does; then the loop gets to deliver."""
    await asyncio.to_thread(broadcast.publish, one.frame.image, one)
    await asyncio.sleep(0)


def test_every_viewer_of_a_codec_gets_the_same_packet() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        first, second, other = ScriptedWatcher(), ScriptedWatcher(), ScriptedWatcher("VP8")
        for watcher in (first, second, other):
            broadcast.join(watcher)
        await publish(broadcast, result(0, clock.now_ns))
        assert first.pictures[0].packet is second.pictures[0].packet
        assert bytes(other.pictures[0].packet) != bytes(first.pictures[0].packet)
        assert broadcast.viewers == {"H264": 2, "VP8": 1}

    with_broadcast(test)


def test_who_comes_later_gets_a_keyframe_but_never_two_in_a_second() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        first, second = ScriptedWatcher(), ScriptedWatcher()
        broadcast.join(first)
        keyframes = []
        for index in range(60):
            if index == 10:
                broadcast.join(second)
            await publish(broadcast, result(index, clock.now_ns))
            keyframes += [index] if first.pictures[-1].is_keyframe else []
            clock.now_ns += SECOND_NS // 25
        # Asked for at 10, when the last was 0.4 seconds ago; 25 pictures are a second.
        assert keyframes == [0, 25]

    with_broadcast(test)


def test_nothing_is_encoded_while_nobody_watches_and_the_next_viewer_begins_anew() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher()
        await publish(broadcast, result(0, clock.now_ns))
        broadcast.join(watcher)
        await publish(broadcast, result(1, clock.now_ns))
        broadcast.leave(watcher)
        broadcast.leave(watcher)
        await publish(broadcast, result(2, clock.now_ns))
        assert len(watcher.pictures) == 1
        assert not broadcast.viewers
        broadcast.join(watcher)
        await publish(broadcast, result(3, clock.now_ns))
        assert [one.is_keyframe for one in watcher.pictures] == [True, True]

    with_broadcast(test)


def test_a_loop_that_is_behind_gets_no_more_pictures_and_a_decoder_misses_none() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher()
        broadcast.join(watcher)
        for index in range(MOST_UNDER_WAY + 3):
            one = result(index, clock.now_ns)
            # On the loop's own thread: it gets to nothing meanwhile.
            broadcast.publish(one.frame.image, one)
            clock.now_ns += SECOND_NS // 25
        await asyncio.sleep(0)
        assert (len(watcher.pictures), broadcast.left_out) == (MOST_UNDER_WAY, 3)
        # What was left out was never encoded: the next picture needs no keyframe.
        await publish(broadcast, result(9, clock.now_ns))
        assert [one.is_keyframe for one in watcher.pictures] == [True, *[False] * MOST_UNDER_WAY]

    with_broadcast(test)


def test_a_message_is_the_line_of_a_results_file_and_tells_the_time_of_its_picture() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher(wants_results=True)
        broadcast.join(watcher)
        captured_ns = clock.now_ns + SECOND_NS // 2
        one = result(3, captured_ns)
        await publish(broadcast, one)
        message = json.loads(watcher.messages[0])
        assert {key: message[key] for key in ("index", "pts_seconds", "results")} == one.to_dict()
        assert message["type"] == "frame"
        # Half a second of the RTP clock of 90 kHz after the broadcast's beginning.
        assert message["pts"] == watcher.pictures[0].packet.pts == 45_000
        assert message["stage_ms"] == {"scripted": {"inference": 2.5}, "encode": 0.0}
        later = result(4, captured_ns + 20_000_000)
        await publish(broadcast, later)
        assert json.loads(watcher.messages[1])["captured_at"] - message["captured_at"] == 20.0

    with_broadcast(test)


def test_two_frames_of_one_moment_keep_their_order() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher()
        broadcast.join(watcher)
        for index in range(3):
            await publish(broadcast, result(index, clock.now_ns))
        assert [one.packet.pts for one in watcher.pictures] == [0, 1, 2]

    with_broadcast(test)


def test_a_picture_of_another_size_begins_with_a_keyframe() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher()
        broadcast.join(watcher)
        for index, size_wh in enumerate([(64, 48), (64, 48), (33, 65)]):
            await publish(broadcast, result(index, clock.now_ns, size_wh))
            clock.now_ns += SECOND_NS // 25
        assert [one.is_keyframe for one in watcher.pictures] == [True, False, True]

    with_broadcast(test)


def test_a_bad_connection_is_followed_alone_and_changes_nothing_for_others() -> None:
    async def test(broadcast: Broadcast, _: ScriptedClock) -> None:
        bad, good = ScriptedWatcher(), ScriptedWatcher()
        bad.link = LinkReport(BITRATE_BPS / 5, 0.5)
        broadcast.join(bad)
        broadcast.adapt()
        assert broadcast.bitrate_bps == {"H264": BITRATE_BPS // 5, "VP8": BITRATE_BPS}
        broadcast.join(good)
        broadcast.adapt()
        assert broadcast.bitrate_bps["H264"] == BITRATE_BPS
        # A change too small to be worth it; then none is left.
        good.link = LinkReport(0.95 * BITRATE_BPS, 0.0)
        broadcast.adapt()
        assert broadcast.bitrate_bps["H264"] == BITRATE_BPS

    with_broadcast(test)


def test_fewer_bits_need_a_keyframe_in_vp8_and_none_in_h264() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watchers = [ScriptedWatcher("H264"), ScriptedWatcher("VP8")]
        for watcher in watchers:
            broadcast.join(watcher)
        for index in range(4):
            if index == 2:
                broadcast.bitrate_bps = {"H264": 100_000, "VP8": 100_000}
            await publish(broadcast, result(index, clock.now_ns))
            clock.now_ns += SECOND_NS // 25
        keyframes = [[one.is_keyframe for one in watcher.pictures] for watcher in watchers]
        assert keyframes == [[True, False, False, False], [True, False, True, False]]

    with_broadcast(test)


def test_a_picture_shown_again_brings_no_message_because_no_frame_stands_behind_it() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher(wants_results=True)
        broadcast.join(watcher)
        sink = WebSink(broadcast)
        one = result(0, clock.now_ns)
        await asyncio.to_thread(sink.write, one.frame.image, one)
        clock.now_ns += SECOND_NS
        await asyncio.to_thread(sink.refresh, one.frame.image)
        await asyncio.sleep(0)
        assert [picture.packet.pts for picture in watcher.pictures] == [0, 90_000]
        assert len(watcher.messages) == 1

    with_broadcast(test)


def test_what_is_carried_from_an_earlier_frame_is_told_and_named_as_such() -> None:
    async def test(broadcast: Broadcast, clock: ScriptedClock) -> None:
        watcher = ScriptedWatcher(wants_results=True)
        broadcast.join(watcher)
        fresh = result(0, clock.now_ns)
        await publish(broadcast, fresh)
        await publish(broadcast, replace(result(1, clock.now_ns), found_on={"scripted": fresh.frame}))
        messages = [json.loads(text) for text in watcher.messages]
        assert [message["carried"] for message in messages] == [[], ["scripted"]]
        assert messages[1]["results"] == messages[0]["results"] != {}

    with_broadcast(test)
