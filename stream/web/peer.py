"""One connection to a browser, an encoder or a player, whichever way pictures go (loop's thread).

What all of them have in common: an offer that is answered, candidates that may come later, and an end.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

from aiortc import RTCRtpSender, RTCRtpTransceiver

from stream.web.connections import Connections
from stream.web.offer import Offer, OfferError
from stream.web.trickle import Fragment, FragmentError

_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 1.5
_log = logging.getLogger("mirilla")


class Peer:
    """A connection; made for one offer, closed once."""

    def __init__(self, offer: Offer, on_gone: Callable[[], None], connections: Connections) -> None:
        """Nothing is opened yet.

        Args:
            offer: the other side's.
            on_gone: called when the connection has failed or was ended by the other side.
            connections: makes the connection.
        """
        self.codec = offer.codec
        self.is_connected = False
        self.entity_tag = f'"{secrets.token_hex(8)}"'
        """Names the ICE session to whoever sends candidates later (RFC 9725, 4.3.1)."""
        self._offer = offer
        self._on_gone = on_gone
        self._packets_received = 0
        self._silent_checks = 0
        self._candidates_left = offer.candidates_left
        self._connections = connections
        self._connection = connections.make(is_video_first=offer.is_video_first)
        self._connection.on("connectionstatechange", self._state_changed)

    async def answer(self) -> str:
        """Open the connection and say how to reach it.

        Returns:
            The SDP answer, with all candidates in it.

        Raises:
            OfferError: the offer contradicts itself.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._connections.answer(self._connection, self._offer.sdp)
        except Exception as error:
            # aiortc lets through whatever it stumbles over in what the other side has written.
            _log.debug("an offer was refused", exc_info=error)
            raise OfferError(400, "the offer cannot be answered: it contradicts itself") from error

    async def take_candidates(self, fragment: Fragment) -> None:
        """Take further addresses of the other side (trickle ICE).

        Raises:
            FragmentError: they are another ICE session's, or too many.
        """
        if fragment.user not in (None, self._offer.ice_user):
            raise FragmentError(422, "ICE is not restarted here; begin a new session")
        self._candidates_left -= len(fragment.candidates)
        if self._candidates_left < 0:
            raise FragmentError(400, "too many candidates")
        try:
            for candidate in fragment.candidates:
                await self._connection.addIceCandidate(candidate)
            if fragment.is_last:
                await self._connection.addIceCandidate(None)
        except Exception as error:
            # As with offers. After the last candidate, or the end, none is taken.
            _log.debug("candidates were refused", exc_info=error)
            raise FragmentError(400, "these candidates cannot be taken") from error

    async def close(self) -> None:
        """Say goodbye and free everything; takes a bounded time, whatever the other side does."""
        self._connection.remove_listener("connectionstatechange", self._state_changed)
        try:
            await asyncio.wait_for(self._connection.close(), _CLOSE_SECONDS)
        except TimeoutError:
            _log.debug("a connection did not close in time")

    async def silent_checks(self) -> int:
        """How often in a row this was asked while nothing came from the other side; browsers report once a second."""
        received = 0
        for transceiver in self._connection.getTransceivers():
            stats = await transceiver.sender.getStats()
            received += sum(entry.packetsReceived for entry in stats.values() if entry.type == "transport")
        self._silent_checks = self._silent_checks + 1 if received == self._packets_received else 0
        self._packets_received = received
        return self._silent_checks

    def connected(self) -> None:
        """The connection stands, for the first time."""

    def _keep_codec(self, transceiver: RTCRtpTransceiver) -> None:
        """Let the answer name the one codec that is on the wire."""
        kept = (f"video/{self.codec}".lower(), "video/rtx")
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in capabilities if codec.mimeType.lower() in kept])

    async def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and not self.is_connected:
            self.is_connected = True
            self.connected()
        elif state in ("failed", "closed"):
            self._on_gone()
