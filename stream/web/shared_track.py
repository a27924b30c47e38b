"""The pictures of one viewer on their way from the shared encoder to the connection (loop's thread).

aiortc takes ready packets from a track and only cuts them for the network; it never encodes here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet
from av.stream import Stream

from stream.web.picture_encoder import EncodedPicture

MOST_WAITING = 8
"""Pictures that may wait for a viewer's connection: a quarter of a second at 30 a second."""


class SharedTrack(MediaStreamTrack):
    """Holds pictures until the connection takes them; a connection that falls behind begins anew at a keyframe."""

    kind = "video"

    def __init__(self, ask_keyframe: Callable[[], None]) -> None:
        """An empty track, whose first picture will be a keyframe.

        Args:
            ask_keyframe: called when this viewer has lost pictures, and can go on with a keyframe only.
        """
        super().__init__()
        self._ask_keyframe = ask_keyframe
        self._pictures: deque[EncodedPicture] = deque()
        self._has_some = asyncio.Event()
        self._needs_keyframe = True
        self.sent = 0
        self.sent_bytes = 0
        self.last_ticks: int | None = None
        """The `pts` of the picture that was taken last."""
        self.dropped = 0

    def put(self, picture: EncodedPicture) -> None:
        """Take the next picture of the stream; never waits."""
        if self.readyState != "live":
            return
        if len(self._pictures) == MOST_WAITING:
            # The pictures after a lost one cannot be decoded: none is better than a broken one.
            self.dropped += len(self._pictures)
            self._pictures.clear()
            self._needs_keyframe = True
            self._ask_keyframe()
        if self._needs_keyframe and not picture.is_keyframe:
            # Before the first picture nothing is lost: that is when the viewer begins.
            self.dropped += self.sent > 0
            return
        self._needs_keyframe = False
        self._pictures.append(picture)
        self._has_some.set()

    async def recv(self) -> Packet[Stream]:
        """The next picture's packet; called by aiortc.

        Raises:
            MediaStreamError: the track was stopped.
        """
        while not self._pictures:
            self._has_some.clear()
            if self.readyState != "live":
                raise MediaStreamError
            await self._has_some.wait()
        packet = self._pictures.popleft().packet
        self.sent += 1
        self.sent_bytes += packet.size
        self.last_ticks = packet.pts
        return packet

    def stop(self) -> None:
        """End the track, and wake who waits for it."""
        super().stop()
        self._pictures.clear()
        self._has_some.set()
