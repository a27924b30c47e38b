"""Tries to watch a stream as a browser does, and says at which step it fails (a loop of the doctor's own).

Signalling, candidates, ICE, DTLS, media: each needs the one before it, so that the first that fails is the last tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiortc import RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import SessionDescription

from stream.doctor.finding import Finding
from stream.web.connections import Connections, transports_of
from stream.web.ice import IceServerEntry, IceServers
from stream.web.ice_check import SECTION, ice_server_findings
from stream.web.machine import is_allowed, local_addresses
from stream.web_settings import IceServer, InterfaceRules

HTTP_SECONDS = 10.0
STEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """A server to try.

    Attributes:
        url: of its page.
        token: None where it asks for none.
        interfaces: this machine's rules, where the server runs on it.
    """

    url: str
    token: str | None = None
    interfaces: InterfaceRules = field(default_factory=InterfaceRules)


class StepError(Exception):
    """A step has failed: what is wrong, and the mend."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def connection_findings(target: Target) -> list[Finding]:
    """Try everything that a connection needs."""

    async def collect() -> list[Finding]:
        return [finding async for finding in _findings(target)]

    return asyncio.run(collect())


async def _findings(target: Target) -> AsyncIterator[Finding]:
    yield _interfaces(target.interfaces)
    try:
        servers = await _servers(target)
    except StepError as error:
        yield _broken("signalling", error)
        return
    async for finding in ice_server_findings(servers):
        yield finding
    helped = [IceServer.model_validate(server.model_dump(exclude_none=True)) for server in servers]
    watching = _Watching(Connections(IceServers(helped), target.interfaces), target)
    step = "signalling"
    try:
        for step, take in watching.steps:
            yield Finding(SECTION, step, "works", await take(), is_needed=True)
    except StepError as error:
        yield _broken(step, error)
    finally:
        await watching.end()


class _Watching:
    """One attempt to watch; its steps are taken in order."""

    def __init__(self, connections: Connections, target: Target) -> None:
        self._connections = connections
        self._connection = connections.make()
        self._target = target
        self._session: str | None = None
        self._answer = ""
        self._track: MediaStreamTrack | None = None
        self.steps = (
            ("signalling", self.signal),
            ("candidates", self.look_at_candidates),
            ("ICE", self.find_way),
            ("DTLS", self.encrypt),
            ("media", self.take_picture),
        )

    async def signal(self) -> str:
        """Offer, and get an answer."""
        streams = json.loads((await _ask(self._target, "GET", "/api/streams"))[1])
        if not streams:
            raise StepError("the server has no streams", "give it one")
        self._connection.addTransceiver("video", direction="recvonly")
        self._connection.on("track", self._got_track)
        self._connections.limit(self._connection)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        offer = self._connection.localDescription.sdp.encode()
        headers, answer = await _ask(self._target, "POST", streams[0]["whep"], offer)
        self._session = headers["location"]
        self._answer = answer.decode()
        return f"an offer to watch {streams[0]['title']!r} was answered"

    async def look_at_candidates(self) -> str:
        """See what ways each side knows."""
        counts = []
        for side, sdp in (("here", self._connection.localDescription.sdp), ("there", self._answer)):
            kinds = Counter(one.type for media in SessionDescription.parse(sdp).media for one in media.ice_candidates)
            if not kinds:
                mend = "see that it is connected to a network, and that web.interfaces allows one of them"
                raise StepError(f"the machine {side} has no address over which video may travel", mend)
            counts.append(f"{side} {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}")
        return "; ".join(counts)

    async def find_way(self) -> str:
        """Let ICE find a pair of addresses."""
        await self._connection.setRemoteDescription(RTCSessionDescription(self._answer, "answer"))
        if not await _comes(lambda: self._connection.iceConnectionState == "completed"):
            raise StepError(
                f"no way was found (ICE is {self._connection.iceConnectionState})",
                "let a firewall pass UDP between the two machines, or set a TURN server in web.ice_servers",
            )
        return "a way was found"

    async def encrypt(self) -> str:
        """Let both sides shake hands."""
        if not await _comes(lambda: self._connection.connectionState == "connected"):
            (transport, *_) = transports_of(self._connection)
            raise StepError(
                f"no encryption came about (DTLS is {transport.state})",
                "see that nothing between the two machines changes or drops packets of UDP",
            )
        return "encrypted"

    async def take_picture(self) -> str:
        """Decode the first picture."""
        try:
            async with asyncio.timeout(STEP_SECONDS):
                assert self._track is not None
                picture: Any = await self._track.recv()
        except TimeoutError as error:
            mend = "see that the stream gives pictures: /api/streams has its figures"
            raise StepError("connected, but no picture came", mend) from error
        return f"the first picture is {picture.width}x{picture.height}"

    async def end(self) -> None:
        """Say goodbye."""
        if self._session is not None:
            with contextlib.suppress(StepError):
                # The server may have ended it already, or itself.
                await _ask(self._target, "DELETE", self._session)
        await self._connection.close()

    def _got_track(self, track: MediaStreamTrack) -> None:
        self._track = track


def _interfaces(rules: InterfaceRules) -> Finding:
    chosen = [one for one in local_addresses() if is_allowed(rules, one) and not one.ip.is_loopback]
    if not chosen:
        mend = "connect this machine to a network, or allow one in web.interfaces"
        return Finding(SECTION, "networks", "broken", "none may carry video", mend, is_needed=True)
    says = ", ".join(f"{one.interface} {one.ip}" for one in chosen)
    return Finding(SECTION, "networks", "works", says, is_needed=True)


def _broken(step: str, error: StepError) -> Finding:
    return Finding(SECTION, step, "broken", str(error), error.mend, is_needed=True)


async def _servers(target: Target) -> Sequence[IceServerEntry]:
    settings = json.loads((await _ask(target, "GET", "/api/connection"))[1])
    return [IceServerEntry.model_validate(server) for server in settings["iceServers"]]


async def _comes(is_so: Any) -> bool:
    """Whether something becomes so in time; aiortc's events come before its states have settled."""
    for _ in range(int(STEP_SECONDS / 0.05)):
        if is_so():
            return True
        await asyncio.sleep(0.05)
    return False


async def _ask(target: Target, method: str, path: str, body: bytes | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer."""
    headers = {"Content-Type": "application/sdp"} if body else {}
    if target.token is not None:
        headers["Authorization"] = f"Bearer {target.token}"
    request = urllib.request.Request(target.url.rstrip("/") + path, body, headers, method=method)
    try:
        return await asyncio.to_thread(_answered, request)
    except urllib.error.HTTPError as error:
        raise StepError(f"the server answers {method} {path} with {error.code} {error.reason}", _mend(error)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise StepError(f"{target.url} cannot be reached ({reason})", "check the address, and that it runs") from error


def _answered(request: urllib.request.Request) -> tuple[dict[str, str], bytes]:
    # A certificate that this machine made is no obstacle to watching: browsers are asked, the doctor is not.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
    with opener.open(request, timeout=HTTP_SECONDS) as response:
        return {name.lower(): value for name, value in response.getheaders()}, response.read()


def _mend(error: urllib.error.HTTPError) -> str:
    return {
        401: "give its token with --token, or in MIRILLA_TOKEN",
        403: "ask it by the name or address that it listens on",
        404: "check that the address is a page of mirilla serve",
        503: "wait until somebody leaves, or raise web.max_viewers",
    }.get(error.code, "see the server's output, with --debug")
