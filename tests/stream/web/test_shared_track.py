from __future__ import annotations

import asyncio
from collections.abc import Sequence

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from stream.web.picture_encoder import EncodedPicture
from stream.web.shared_track import MOST_WAITING, SharedTrack


def picture(number: int, *, is_keyframe: bool = False) -> EncodedPicture:
    packet = av.Packet(bytes([number]))
    packet.pts = number
    return EncodedPicture(packet, is_keyframe)


async def taken(track: SharedTrack, count: int) -> list[int]:
    return [bytes(await track.recv())[0] for _ in range(count)]


def test_a_viewer_begins_with_a_keyframe_and_goes_on_in_order() -> None:
    async def run() -> None:
        asked: list[int] = []
        track = SharedTrack(lambda: asked.append(1))
        for number in range(6):
            track.put(picture(number, is_keyframe=number == 3))
        assert await taken(track, 3) == [3, 4, 5]
        # What came before the beginning was not lost; and the one who joins has asked already.
        assert (track.dropped, asked) == (0, [])
        assert (track.sent, track.last_ticks) == (3, 5)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keyframes", "left", "dropped", "asked"),
    [
        # It falls behind by one picture more than may wait: nothing until the next keyframe.
        ({0}, [], MOST_WAITING + 4, 1),
        # The keyframe that it asked for comes.
        ({0, MOST_WAITING + 2}, [MOST_WAITING + 2, MOST_WAITING + 3], MOST_WAITING + 2, 1),
        # The picture with which it overflows is a keyframe by chance: it goes on with that.
        ({0, MOST_WAITING}, list(range(MOST_WAITING, MOST_WAITING + 4)), MOST_WAITING, 1),
    ],
)
def test_a_viewer_who_is_too_slow_loses_pictures_up_to_a_keyframe(
    keyframes: set[int], left: Sequence[int], dropped: int, asked: int
) -> None:
    async def run() -> None:
        wishes: list[int] = []
        track = SharedTrack(lambda: wishes.append(1))
        track.put(picture(0, is_keyframe=True))
        assert await taken(track, 1) == [0]
        # Now the connection takes no more.
        track.put(picture(0, is_keyframe=True))
        for number in range(1, MOST_WAITING + 4):
            track.put(picture(number, is_keyframe=number in keyframes))
        assert await taken(track, len(left)) == list(left)
        assert (track.dropped, len(wishes)) == (dropped, asked)

    asyncio.run(run())


def test_stopping_wakes_who_waits_for_a_picture() -> None:
    async def run() -> None:
        track = SharedTrack(lambda: None)
        waiting = asyncio.create_task(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(waiting, 5)
        track.put(picture(0, is_keyframe=True))
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(track.recv(), 5)

    asyncio.run(run())
