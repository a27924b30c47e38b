"""Whether STUN and TURN servers answer, and what is in the way where one does not (a loop of the doctor's own)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import cast

from aioice import stun, turn
from aiortc.rtcicetransport import parse_stun_turn_uri

from stream.doctor.finding import Finding
from stream.web.ice import IceServerEntry

SECTION = "connections"
ANSWER_SECONDS = 4.0
_FORBIDDEN = (401, 403, 437, 441)
"""RFC 8656, 18 and RFC 8489, 14.8: unauthorized, forbidden, allocation mismatch, wrong credentials."""


async def ice_server_findings(servers: Sequence[IceServerEntry]) -> AsyncIterator[Finding]:
    """Ask each server for what it is there for: an address, or a relay."""
    if not servers:
        says = "none is set: everybody has to reach this machine directly, as in one local network"
        yield Finding(SECTION, "STUN and TURN", "absent", says)
    for server in servers:
        for url in server.urls:
            yield await _tried(url, server)


async def _tried(url: str, server: IceServerEntry) -> Finding:
    parts = parse_stun_turn_uri(url)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if parts["scheme"] == "stun":
                says = await _mapped(parts["host"], parts["port"])
            else:
                says = await _relayed(parts, server)
    except stun.TransactionFailed as error:
        code, reason = error.response.attributes.get("ERROR-CODE", (0, "no reason"))
        mend = "mend username and credential, or secret, in web.ice_servers" if code in _FORBIDDEN else "see its log"
        return Finding(SECTION, url, "broken", f"refuses ({code} {reason})", mend, is_needed=True)
    except (TimeoutError, stun.TransactionTimeout):
        mend = "check that it runs, and that no firewall drops what goes to its port"
        return Finding(SECTION, url, "broken", "does not answer", mend, is_needed=True)
    except OSError as error:
        reason = error.strerror or str(error)
        mend = "check its name and port in web.ice_servers, and that it runs"
        return Finding(SECTION, url, "broken", f"cannot be reached ({reason})", mend, is_needed=True)
    return Finding(SECTION, url, "works", says, is_needed=True)


async def _mapped(host: str, port: int) -> str:
    """What a STUN server says of this machine's address."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    there = (str(found[0][4][0]), port)
    transport, asker = await loop.create_datagram_endpoint(_Asker, remote_addr=there)
    try:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        transaction = stun.Transaction(request, there, asker)
        asker.transaction = transaction
        answer, _ = await transaction.run()
    finally:
        transport.close()
    return f"sees this machine as {answer.attributes['XOR-MAPPED-ADDRESS'][0]}"


async def _relayed(parts: dict[str, object], server: IceServerEntry) -> str:
    """Where a TURN server relays from; the relay is given back."""
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=(str(parts["host"]), int(str(parts["port"]))),
        username=server.username,
        password=server.credential,
        ssl=parts["scheme"] == "turns",
        transport=str(parts["transport"]),
    )
    try:
        return f"relays from {transport.get_extra_info('sockname')[0]}"
    finally:
        transport.close()


class _Asker(asyncio.DatagramProtocol):
    """Sends one transaction's requests, and hands it the answers."""

    transaction: stun.Transaction | None = None
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:  # noqa: ARG002 - it is connected
        if self._transport is not None:
            self._transport.sendto(bytes(message))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if self.transaction is not None and message.message_class != stun.Class.REQUEST:
            self.transaction.response_received(message, addr)
