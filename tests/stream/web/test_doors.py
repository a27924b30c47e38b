"""How others come in and connect: invitations, servers that help, limits, figures, as any client sees them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCIceTransportPolicy, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from prometheus_client.parser import text_string_to_metric_families

from stream.config import WebSettings
from stream.web import serve as web_serve
from stream.web.access import LINK_SECONDS, MOST_LINKS, Access
from stream.web.connections import Connections
from stream.web.greeting import greeting
from stream.web.ice import IceServers
from stream.web.invitation import Invitations, qr_lines
from stream.web.machine import local_addresses
from stream.web.rate_limit import Allowance, RateLimit
from stream.web.shared_track import SharedTrack
from stream.web_settings import IceServer, InterfaceRules
from tests.stream.web.conftest import Answer, Client, Serve, running
from tests.stream.web.offers import an_offer
from tests.stream.web.turn_server import SECRET, STATIC_PASSWORD, STATIC_USER, TurnServer, turn_server

ROOT = Path(__file__).parent.parent.parent.parent
TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SDP = "application/sdp"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server that others reach, with a token and servers that help."""
    helpers = ["stun:stun.example", {"urls": "turn:turn.example?transport=tcp", "secret": "shh"}]
    # No stream waits for them: nobody is asked before an offer comes.
    with running({"host": "0.0.0.0", "token": TOKEN, "ice_servers": helpers}) as shared:
        yield shared


def test_an_invitation_is_a_link_that_works_once(client: Client) -> None:
    status, headers, body = client.ask("POST", "/api/invitation", None, **BEARER)
    assert (status, headers["cache-control"]) == (200, "no-store")
    invitation = json.loads(body)
    assert invitation["svg"].startswith("<svg")
    assert invitation["is_secure"] is False
    # Not the address that is listened on, which is none, but one that others reach.
    link = re.fullmatch(rf"http://([0-9.]+):{client.port}(/enter\?code=[\w-]+)", invitation["url"])
    assert link is not None
    assert link[1] not in ("0.0.0.0", "127.0.0.1")
    assert link[1] in {str(address.ip) for address in local_addresses()}
    status, headers, _ = client.ask("GET", link[2])
    assert (status, headers["location"]) == (303, "/")
    assert client.ask("GET", "/api/streams", None, Cookie=headers["set-cookie"].partition(";")[0]).status == 200
    assert client.ask("GET", link[2]).status == 403


def test_nobody_invites_without_a_token_or_to_a_server_that_nobody_reaches(client: Client, serve: Serve) -> None:
    assert client.ask("POST", "/api/invitation").status == 401
    local = serve({"token": TOKEN})
    assert local.ask("POST", "/api/invitation", None, **BEARER).status == 409
    assert json.loads(local.ask("GET", "/api/connection", None, **BEARER).body)["invitations"] is False


def test_a_link_runs_out_and_many_links_push_out_the_oldest() -> None:
    now = 0.0
    access = Access(TOKEN, lambda: now)
    first, codes = access.link_code, [access.new_code() for _ in range(MOST_LINKS + 2)]
    assert not access.takes_code(codes[0])
    assert not access.takes_code(codes[1])
    assert access.takes_code(codes[2])
    now = LINK_SECONDS + 1.0
    assert not access.takes_code(codes[3])
    # The printed one is for whoever started the server, and stays.
    assert first is not None
    assert access.takes_code(first)


def test_a_telephone_reads_the_code_in_the_terminal() -> None:
    invitations = Invitations(Access(TOKEN), "192.0.2.7", 8642, is_secure=True)
    link = invitations.first()
    assert link is not None
    assert link.startswith("https://192.0.2.7:8642/enter?code=")
    # Two rows of modules are a line of half blocks; a terminal's ground is dark.
    upper, lower = {" ": 0, "▀": 255, "▄": 0, "█": 255}, {" ": 0, "▀": 0, "▄": 255, "█": 255}
    rows = [[half[letter] for letter in line] for line in qr_lines(link) for half in (upper, lower)]
    picture = np.pad(np.array(rows, np.uint8).repeat(6, 0).repeat(6, 1), 24, constant_values=255)
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert read == link


@pytest.mark.parametrize(
    ("host", "token", "with_code", "lines"),
    [
        # This machine alone: the address is enough, and no code helps.
        ("127.0.0.1", None, True, 1),
        ("127.0.0.1", TOKEN, True, 1),
        # Others: the link, its code where somebody reads it, and that nothing is encrypted.
        ("192.0.2.7", TOKEN, False, 2),
        ("192.0.2.7", TOKEN, True, 21),
    ],
)
def test_what_is_told_at_the_start(host: str, token: str | None, with_code: bool, lines: int) -> None:
    invitations = Invitations(Access(token), host, 8642, is_secure=False)
    told = list(greeting(invitations, WebSettings(host=host, token=token), None, with_code=with_code))
    assert len(told) == lines, told
    assert ("--tls auto" in told[-1]) is (host == "192.0.2.7")


def test_pages_and_players_are_told_which_servers_help(client: Client) -> None:
    settings = json.loads(client.ask("GET", "/api/connection", None, **BEARER).body)
    assert [server["urls"] for server in settings["iceServers"]] == [
        ["stun:stun.example"],
        ["turn:turn.example?transport=tcp"],
    ]
    assert settings["iceServers"][1]["credential"]
    assert "shh" not in json.dumps(settings)
    assert client.ask("GET", "/api/connection").status == 401
    # draft-ietf-wish-whep-03, 4.4: before the offer, by OPTIONS.
    status, headers, _ = client.ask("OPTIONS", "/whep/pattern", None, **BEARER)
    assert (status, headers["accept-post"]) == (204, SDP)
    assert headers["link"].startswith('<turn:turn.example?transport=tcp>; rel="ice-server"; username="')


def test_figures_for_prometheus_are_behind_the_token(client: Client) -> None:
    assert client.ask("GET", "/metrics").status == 401
    status, headers, body = client.ask("GET", "/metrics", None, **BEARER)
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert families["mirilla_frames_captured"].samples[0].labels == {"stream": "pattern"}
    assert families["mirilla_requests_refused"].samples[0].value == 0
    assert "mirilla_pictures_left_out" in families


def test_who_asks_too_often_is_told_when_to_come_back_and_the_stream_goes_on(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So little that the test need not last until more is spent.
    monkeypatch.setattr(web_serve, "RateLimit", partial(RateLimit, this_machine=Allowance(2, 60)))
    client = serve()
    with watching(client) as track_of:
        command = [sys.executable, "-m", "tests.stream.web.flood", str(client.port), "1000", "3"]
        flood = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
        answer = json.loads(flood.stdout)
        statuses = answer["statuses"]
        assert set(statuses) == {"200", "429"}
        assert statuses["200"] <= 60 + 2 * (3000 / answer["per_second"] + 1)
        # Whoever watches lost no picture of it.
        assert track_of().sent > 30
        assert track_of().dropped == 0
        metrics = answered_at_last(client, "/metrics").body.decode()
        families = {family.name: family for family in text_string_to_metric_families(metrics)}
        assert families["mirilla_requests_refused"].samples[0].value >= statuses["429"]
    status, headers, _ = client.ask("POST", "/api/session")
    assert (status, int(headers["retry-after"]) in range(1, 4)) == (429, True)


def answered_at_last(client: Client, path: str) -> Answer:
    """The answer to whoever waits as long as is asked."""
    for _ in range(20):
        answer = client.ask("GET", path)
        if answer.status != 429:
            return answer
        time.sleep(float(answer.headers["retry-after"]))
    raise AssertionError("nobody is ever let in again")


@contextmanager
def watching(client: Client) -> Iterator[Callable[[], SharedTrack]]:
    """A viewer in a process of its own; gives what asks for its track."""
    command = [sys.executable, "-m", "tests.stream.web.whep_peer", f"{client.url}/whep/pattern"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as peer:
        try:
            assert peer.stdout is not None
            assert peer.stdout.readline() == "connected\n"
            yield lambda: next(iter(client.now.hub.viewers)).track
        finally:
            peer.kill()


def candidates(sdp: str) -> set[tuple[str, str]]:
    """Kind and address of each."""
    return {(one.type, one.ip) for media in SessionDescription.parse(sdp).media for one in media.ice_candidates}


def answered(connections: Connections) -> set[tuple[str, str]]:
    offer = an_offer()

    async def run() -> set[tuple[str, str]]:
        connection = connections.make()
        try:
            return candidates(await connections.answer(connection, offer))
        finally:
            await connection.close()

    return asyncio.run(run())


def test_video_travels_over_the_allowed_interfaces_alone() -> None:
    every = answered(Connections())
    assert {kind for kind, _ in every} == {"host"}
    (chosen, *_) = sorted(ip for _, ip in every)
    assert answered(Connections(interfaces=InterfaceRules(allow=(chosen,)))) == {("host", chosen)}
    assert answered(Connections(interfaces=InterfaceRules(deny=(chosen,)))) == every - {("host", chosen)}
    assert answered(Connections(interfaces=InterfaceRules(deny=("*",)))) == set()


@pytest.fixture(params=["secret", "password"])
def turn(request: pytest.FixtureRequest, coturn: Path, tmp_path: Path) -> Iterator[tuple[TurnServer, IceServer]]:
    """A TURN server, and how it is asked: by credentials made of a secret, or by fixed ones."""
    with_secret = request.param == "secret"
    with turn_server(coturn, tmp_path, with_secret=with_secret) as server:
        account = {"secret": SECRET} if with_secret else {"username": STATIC_USER, "credential": STATIC_PASSWORD}
        yield server, IceServer.model_validate({"urls": server.url, **account})


def test_whoever_reaches_nothing_but_the_turn_server_is_connected_by_it(turn: tuple[TurnServer, IceServer]) -> None:
    server, settings = turn
    connections = Connections(IceServers([settings]))

    async def run() -> None:
        relayed = RTCConfiguration(connections.servers.for_aiortc(), iceTransportPolicy=RTCIceTransportPolicy.RELAY)
        there, here = RTCPeerConnection(relayed), connections.make()
        opened = asyncio.Event()
        there.createDataChannel("door").on("open", opened.set)
        await there.setLocalDescription(await there.createOffer())
        assert {kind for kind, _ in candidates(there.localDescription.sdp)} == {"relay"}
        answer = await connections.answer(here, there.localDescription.sdp)
        assert {kind for kind, _ in candidates(answer)} == {"host", "relay"}
        await there.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.wait_for(opened.wait(), 10)
        await asyncio.gather(there.close(), here.close())

    asyncio.run(run())
    assert server.sessions() == 2
