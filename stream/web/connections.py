"""How a connection to somebody is made: which servers help, over which interfaces it goes (loop's thread).

The one place that builds aiortc's connections, for those who watch and those who send.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCDtlsTransport, RTCPeerConnection, RTCSessionDescription

from stream.web.ice import IceServers
from stream.web.machine import is_allowed, local_addresses
from stream.web_settings import InterfaceRules

GATHER_SECONDS = 2
"""How long STUN and TURN servers may take; who takes longer is left out."""


class Connections:
    """Makes connections."""

    def __init__(self, servers: IceServers | None = None, interfaces: InterfaceRules | None = None) -> None:
        """Know the rules.

        Args:
            servers: STUN and TURN servers; None is none.
            interfaces: over which of this machine's networks video may travel; None is all.
        """
        self.servers = servers or IceServers()
        self._interfaces = interfaces or InterfaceRules()

    def make(self, *, is_video_first: bool = True) -> RTCPeerConnection:
        """A connection that has not begun.

        Args:
            is_video_first: whether video stands before all other sections of the offer that it is for.
        """
        # aiortc 1.16 closes the one transport where our video is bundled with a section before it.
        policy = RTCBundlePolicy.MAX_BUNDLE if is_video_first else RTCBundlePolicy.BALANCED
        # A list, even an empty one: without any, aiortc asks a public STUN server.
        return RTCPeerConnection(RTCConfiguration(iceServers=self.servers.for_aiortc(), bundlePolicy=policy))

    async def answer(self, connection: RTCPeerConnection, offer: str) -> str:
        """Take an offer, but for its sound, and begin.

        Returns:
            The SDP answer, with all candidates in it.

        Raises:
            Exception: whatever aiortc stumbles over in what the other side has written.
        """
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in connection.getTransceivers():
            if transceiver.kind != "video":
                # aiortc would decode it for nobody.
                transceiver.direction = "inactive"
        self.limit(connection)
        answer = (await connection.createAnswer()).sdp
        if "a=setup:actpass" in offer:
            # As a DTLS client aiortc takes ECDSA certificates alone; GStreamer's are RSA. As a server it takes both.
            answer = answer.replace("a=setup:active", "a=setup:passive")
        await connection.setLocalDescription(RTCSessionDescription(answer, "answer"))
        return str(connection.localDescription.sdp)

    def limit(self, connection: RTCPeerConnection) -> None:
        """Let a connection use the allowed interfaces alone; called before it gathers its candidates."""
        # aioice takes every address but 127.0.0.1, and offers no choice in public.
        allowed = {str(address.ip) for address in local_addresses() if is_allowed(self._interfaces, address)}
        for transport in transports_of(connection):
            ice: Any = transport.transport._connection
            ice.get_component_candidates = partial(_gather, ice.get_component_candidates, frozenset(allowed))


def transports_of(connection: RTCPeerConnection) -> list[RTCDtlsTransport]:
    """What a connection's media and data travel on; one, where they are bundled."""
    senders = [transceiver.sender.transport for transceiver in connection.getTransceivers()]
    data = [connection.sctp.transport] if connection.sctp is not None else []
    return list(dict.fromkeys([*senders, *data]))


async def _gather(gather: Any, allowed: frozenset[str], component: int, addresses: Sequence[str]) -> Any:
    chosen = [one for one in addresses if str(ipaddress.ip_address(one.partition("%")[0])) in allowed]
    return await gather(component=component, addresses=chosen, timeout=GATHER_SECONDS)
