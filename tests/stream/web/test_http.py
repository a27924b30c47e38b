"""What the server answers to requests, as any client sends them."""

from __future__ import annotations

import json
import re
import socket
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.config import WebSettings
from stream.web import prompt_protocol
from stream.web.access import COOKIE
from stream.web.guard import BODY_SECONDS
from stream.web.serve import token_for
from stream.web.signalling import SDP
from stream.web.trickle import FRAGMENT
from tests.models.stand_in_packages import detector_package
from tests.stream.web.conftest import PATTERN, Client, Serve
from tests.stream.web.offers import an_offer

TOKEN = "0123456789abcdef"


def post_offer(client: Client, path: str = "/whep/pattern", offer: str | None = None, **headers: str) -> int:
    body = (an_offer() if offer is None else offer).encode()
    return client.ask("POST", path, body, **{"Content_Type": SDP, **headers}).status


def test_an_offer_is_answered_and_the_session_ends_where_the_answer_says(serve: Serve) -> None:
    client = serve()
    status, headers, body = client.ask("POST", "/whep/pattern", an_offer().encode(), Content_Type=SDP)
    assert status == 201
    assert headers["content-type"] == SDP
    session = headers["location"]
    assert session.startswith("/whep/pattern/")
    answer = body.decode()
    assert "a=sendonly" in answer
    assert answer.count("m=") == 1
    # The codec that is named is the codec that is sent: no other is in the answer.
    names = {line.split(" ")[1].split("/")[0] for line in answer.splitlines() if line.startswith("a=rtpmap")}
    assert names == {"H264", "rtx"}
    assert len(client.now.hub.viewers) == 1

    assert client.ask("DELETE", session.replace("pattern", "other"))[0] == 404
    assert client.ask("DELETE", session)[0] == 200
    assert client.ask("DELETE", session)[0] == 404
    assert len(client.now.hub.viewers) == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status"),
    [
        # Offers that are none.
        ("POST", "/whep/pattern", b"", SDP, 400),
        ("POST", "/whep/pattern", an_offer()[:300].encode(), SDP, 400),
        ("POST", "/whep/pattern", b"\xff\xfe\x00", SDP, 400),
        ("POST", "/whep/pattern", (an_offer() + "m=video 9 UDP/TLS/RTP/SAVPF 97\r\n" * 500).encode(), SDP, 400),
        ("POST", "/whep/pattern", an_offer().encode(), "text/plain", 415),
        ("POST", "/whep/pattern", an_offer().encode(), "", 415),
        # Names of streams that are none, and ways out of the folder.
        ("POST", "/whep/nobody", an_offer().encode(), SDP, 404),
        ("POST", "/whep/..%2f..%2fetc%2fpasswd", an_offer().encode(), SDP, 404),
        ("POST", "/whep/../../etc/passwd", an_offer().encode(), SDP, 404),
        ("POST", "/whep/%00", an_offer().encode(), SDP, 404),
        ("GET", "/static/../app.py", None, "", 404),
        ("GET", "/static/%2e%2e/app.py", None, "", 404),
        ("GET", "/static/..%2fapp.py", None, "", 404),
        ("GET", "/static//etc/passwd", None, "", 404),
        # Methods that the draft keeps for later.
        ("GET", "/whep/pattern", None, "", 405),
        ("PUT", "/whep/pattern", b"", SDP, 405),
        ("DELETE", "/whep/pattern/nosuchsession", None, "", 404),
        ("PATCH", "/whep/pattern/nosuchsession", b"", FRAGMENT, 404),
        ("GET", "/camera/pattern", None, "", 405),
        # A stream that has a source of its own is sent by nobody else.
        ("POST", "/whip/pattern", an_offer(direction="sendonly").encode(), SDP, 404),
        # Who watches sends no camera, and who sends a camera has to take it back.
        ("POST", "/camera/pattern", an_offer().encode(), SDP, 400),
        ("POST", "/camera/pattern", an_offer(direction="sendonly").encode(), SDP, 400),
        ("POST", "/camera/nobody", an_offer(direction="sendrecv").encode(), SDP, 404),
        # JSON that is none, or says something else.
        ("POST", "/api/session", b'{"token": ', "application/json", 422),
        ("POST", "/api/session", b"[]", "application/json", 422),
        ("POST", "/api/session", b'{"token": 5}', "application/json", 422),
        # Halves of characters, which no answer can hold: as text, and where text should not be.
        ("POST", "/api/session", b'{"token": "\\ud800"}', "application/json", 422),
        ("POST", "/api/session", b'{"token": ["\\ud800"], "\\udfff": 1}', "application/json", 422),
        ("POST", "/api/streams", b'{"name": "\\ud800", "source": "rtsp://a/"}', "application/json", 422),
        ("POST", "/api/session", b"[" * 60_000, "application/json", 400),
        ("GET", "/enter", None, "", 422),
        ("GET", "/enter?code=" + "x" * 5000, None, "", 422),
        ("GET", "/docs", None, "", 404),
    ],
)
def test_what_cannot_be_done_is_refused(
    client: Client, method: str, path: str, body: bytes | None, content_type: str, status: int
) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    assert client.ask(method, path, body, **headers)[0] == status
    # And the server is as it was.
    assert client.ask("GET", "/healthz")[0] == 200
    hub = client.now.hub
    assert (len(hub.viewers), len(hub.publishers), len(hub.visitors)) == (0, 0, 0)


CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"


@pytest.mark.parametrize(
    ("tag", "lines", "content_type", "status"),
    [
        # As RFC 9725 shows it: credentials, a section, candidates, the end of them.
        ("{tag}", ["a=ice-ufrag:{user}", "a=ice-pwd:secret", "m=video 9 X 0", "a=mid:0", CANDIDATE], FRAGMENT, 204),
        ("{tag}", ["a=mid:0", "a=end-of-candidates"], FRAGMENT, 204),
        ('"other", {tag}', ["a=mid:0", CANDIDATE], FRAGMENT, 204),
        # Not for whom it is meant.
        (None, [CANDIDATE], FRAGMENT, 428),
        ('"another"', [CANDIDATE], FRAGMENT, 412),
        # A restart of ICE, as the RFC writes it, and one that says so by its credentials.
        ('"*"', ["a=ice-ufrag:new", CANDIDATE], FRAGMENT, 422),
        ("{tag}", ["a=ice-ufrag:new", CANDIDATE], FRAGMENT, 422),
        # More addresses than a server should be made to call on, and what is none.
        ("{tag}", ["a=mid:0"] + 65 * [CANDIDATE], FRAGMENT, 400),
        ("{tag}", ["a=candidate:what"], FRAGMENT, 400),
        ("{tag}", ["a=mid:0", CANDIDATE], SDP, 415),
    ],
)
def test_candidates_may_come_after_the_offer(
    client: Client, tag: str | None, lines: list[str], content_type: str, status: int
) -> None:
    offer = an_offer()
    _, headers, _ = client.ask("POST", "/whep/pattern", offer.encode(), Content_Type=SDP)
    assert headers["accept-patch"] == FRAGMENT
    user = re.search("a=ice-ufrag:(.*)", offer)
    assert user is not None
    named = {} if tag is None else {"If_Match": tag.format(tag=headers["etag"])}
    body = "\r\n".join(lines).format(user=user[1].strip()).encode()
    assert client.ask("PATCH", headers["location"], body, Content_Type=content_type, **named)[0] == status
    assert client.ask("DELETE", headers["location"])[0] == 200


def test_what_is_taken_where_can_be_asked(client: Client) -> None:
    _, headers, _ = client.ask("OPTIONS", "/whep/pattern")
    assert headers["accept-post"] == SDP
    _, headers, _ = client.ask("OPTIONS", "/whip/pattern/any")
    assert headers["accept-patch"] == FRAGMENT


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damaged_offer_breaks_the_server(client: Client, data: st.DataObject) -> None:
    lines = an_offer().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "repeat", "swap", "cut", "number", "letter"]))
        line = lines[place]
        lines[place : place + 1] = {
            "drop": [],
            "repeat": [line, line],
            "swap": [lines[-1], line],
            "cut": [line[: len(line) // 2]],
            "number": [re.sub(r"\d+", str(data.draw(st.sampled_from([-1, 0, 256, 70_000, 2**40]))), line)],
            "letter": [line.replace(line[-1:], "\N{SNOWMAN}", 1)],
        }[change]
    status, headers, _ = client.ask("POST", "/whep/pattern", "\r\n".join(lines).encode(), Content_Type=SDP)
    assert status in (201, 400, 406)
    if status == 201:
        assert client.ask("DELETE", headers["location"]).status == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=BODY_SECONDS) as line:
        head = "POST /whep/pattern HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
        line.sendall(f"{head}Content-Length: 10000000\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", client.port), timeout=BODY_SECONDS) as line:
        # In pieces, without saying how much will come.
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        line.sendall((f"{70_000:x}\r\n" + "x" * 70_000 + "\r\n").encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: localh",
        # A whole request, and half of the next one.
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea",
    ],
)
def test_who_takes_a_connection_and_asks_nothing_is_let_go(
    sent: bytes, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_protocol, "HEAD_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", serve().port), timeout=5) as line:
        line.sendall(sent)
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    assert answer.count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:80"}, 200),
        ({"Host": "[::1]:80"}, 200),
        # A page of another site whose name was made to point here (DNS rebinding).
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "[::1"}, 403),
        # A page of another site that asks directly.
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost", "Origin": "http://localhost"}, 200),
    ],
)
def test_pages_of_other_sites_get_nothing(client: Client, headers: dict[str, str], status: int) -> None:
    assert client.ask("GET", "/api/streams", None, **headers)[0] == status


def test_every_answer_forbids_browsers_what_the_page_does_not_need(client: Client) -> None:
    for path in ("/", "/static/app.js", "/api/streams", "/nothing/here"):
        _, headers, _ = client.ask("GET", path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        # The page's own camera alone.
        assert headers["permissions-policy"] == "camera=(self), microphone=(), geolocation=()"
        assert "access-control-allow-origin" not in headers
    # A browser asks first whether a page of another origin may post an offer: nobody says yes.
    asked = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
    assert client.ask("OPTIONS", "/whep/pattern", None, **asked)[0] == 403


def test_with_a_token_only_the_page_itself_and_its_health_are_open(serve: Serve) -> None:
    client = serve({"token": TOKEN})
    for path in ("/", "/camera", "/static/app.js", "/healthz"):
        assert client.ask("GET", path)[0] == 200
    for method, path in (
        ("GET", "/api/streams"),
        ("GET", "/openapi.json"),
        ("POST", "/whep/pattern"),
        ("POST", "/whip/pattern"),
        ("POST", "/camera/pattern"),
    ):
        status, headers, _ = client.ask(method, path, an_offer().encode() if method == "POST" else None)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert client.ask("DELETE", "/whep/pattern/any")[0] == 401

    assert post_offer(client, Authorization="Bearer wrong-wrong-wrong") == 401
    assert post_offer(client, Authorization=f"Bearer {TOKEN}") == 201


def test_token_and_link_set_a_cookie_that_scripts_cannot_read(serve: Serve) -> None:
    client = serve({"token": TOKEN})
    json_type = {"Content_Type": "application/json"}
    assert client.ask("POST", "/api/session", b'{"token": "wrong-wrong-wrong"}', **json_type)[0] == 403
    status, headers, _ = client.ask("POST", "/api/session", json.dumps({"token": TOKEN}).encode(), **json_type)
    assert status == 204
    cookie = headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert client.ask("GET", "/api/streams", Cookie=cookie.partition(";")[0])[0] == 200

    code = client.now.access.link_code
    assert code is not None
    path = f"/enter?code={urllib.parse.quote(code)}"
    status, headers, _ = client.ask("GET", path)
    assert (status, headers["location"]) == (303, "/")
    assert client.ask("GET", "/api/streams", Cookie=headers["set-cookie"].partition(";")[0])[0] == 200
    assert client.ask("GET", path)[0] == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_a_token_is_made_where_none_was_given(host: str) -> None:
    made = token_for(WebSettings(host=host))
    assert made is not None
    assert len(made) >= 32
    assert made != token_for(WebSettings(host=host))
    assert token_for(WebSettings(host=host, token=TOKEN)) == TOKEN


def test_on_this_machine_no_token_is_asked_for_unless_one_was_given() -> None:
    assert token_for(WebSettings()) is None
    assert token_for(WebSettings(token=TOKEN)) == TOKEN


def test_no_more_may_watch_than_the_limit(serve: Serve) -> None:
    client = serve({"max_viewers": 1})
    assert post_offer(client) == 201
    status, headers, _ = client.ask("POST", "/whep/pattern", an_offer().encode(), Content_Type=SDP)
    assert status == 503
    assert int(headers["retry-after"]) > 0


def test_no_more_cameras_may_come_than_the_limit(serve: Serve) -> None:
    client = serve({"max_cameras": 1})
    assert client.streams()[0]["camera"] == "/camera/pattern"
    offer = an_offer(direction="sendrecv")
    assert post_offer(client, "/camera/pattern", offer) == 201
    assert post_offer(client, "/camera/pattern", offer) == 503
    assert serve({"max_cameras": 0}).streams()[0]["camera"] is None


def test_streams_are_listed_under_names_that_addresses_can_hold(serve: Serve) -> None:
    client = serve(**{"../a b": {"source": PATTERN}, "a/b": {"source": PATTERN}})
    listed = client.streams()
    assert [(one["title"], one["name"], one["whep"]) for one in listed] == [
        ("../a b", "a-b", "/whep/a-b"),
        ("a/b", "a-b-2", "/whep/a-b-2"),
    ]
    assert (listed[0]["width"], listed[0]["height"], listed[0]["rate"]) == (160, 120, 30.0)
    assert post_offer(client, "/whep/a-b-2") == 201


def test_openapi_describes_every_address(client: Client) -> None:
    document = json.loads(client.ask("GET", "/openapi.json")[2])
    assert {"/whep/{stream}", "/whep/{stream}/{session}", "/api/streams", "/healthz"} <= set(document["paths"])
    assert SDP in document["paths"]["/whep/{stream}"]["post"]["requestBody"]["content"]


def test_a_viewer_may_take_the_plain_picture_unless_the_configuration_hides_a_part_of_it(
    serve: Serve, tmp_path: Path
) -> None:
    boxes = str(detector_package(tmp_path / "boxes", [(8, 8, 24, 40, 0.9, 0)]))
    client = serve(
        open={"source": PATTERN},
        pages={"source": PATTERN, "overlay": {"hud": False, "browser": True}},
        hidden={"source": PATTERN, "models": [boxes], "overlay": {"hud": False, "isolate": "dog:blur"}},
    )
    listed = {one["name"]: (one["overlay"], one["whep_plain"]) for one in client.streams()}
    assert listed == {
        "open": ("picture", "/whep/open?picture=plain"),
        "pages": ("browser", "/whep/pages?picture=plain"),
        "hidden": ("picture", None),
    }
    assert post_offer(client, "/whep/pages?picture=plain") == 201
    assert post_offer(client, "/whep/pages?picture=drawn") == 201
    assert post_offer(client, "/whep/hidden?picture=plain") == 404
    assert post_offer(client, "/whep/open?picture=other") == 422
    assert client.ask("GET", "/api/streams/none/legend")[0] == 404
    assert json.loads(client.ask("GET", "/api/streams/open/legend")[2]) == []
