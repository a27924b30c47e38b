"""How a page connects, invites and adds, and what it says where it cannot, in a real browser."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from stream.web.certificate import own_certificate
from stream.web.machine import reachable_host
from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.pages import WAIT_MS, Serve, Server, wait_for
from tests.stream.sources.network_peers import HttpCamera
from tests.stream.web.turn_server import SECRET, turn_server

PATTERN = ("--source", "pattern:320x240@15x100000", "--model", "none", "--no-hud")
TOKEN = "0123456789abcdef"

# Changes each answer before the browser takes it.
CHANGED = """
const take = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return take.call(this, { type, sdp: sdp.replace(%s) });
};
"""
RELAYED = """
const Direct = RTCPeerConnection;
window.RTCPeerConnection = class extends Direct {
  constructor(settings) { super({ ...settings, iceTransportPolicy: "relay" }); window.connection = this; }
};
"""


@pytest.mark.parametrize(
    ("source", "script", "english", "spanish"),
    [
        # The server's password is another than it says: no check of a way succeeds.
        (
            PATTERN[1],
            CHANGED % '/a=ice-pwd:.*/g, "a=ice-pwd:" + "x".repeat(24)',
            "no way to the server is found",
            "no se encuentra un camino al servidor",
        ),
        # Its certificate is another than it says: the way is found, and the handshake fails.
        (
            PATTERN[1],
            CHANGED
            % "/a=fingerprint:(sha-\\d+) (.*)/g, (_, name, hex) => `a=fingerprint:${name} ${hex.replace(/\\w/g, 0)}`",
            "the encryption does not come about",
            "no se logra el cifrado",
        ),
        # A picture every two minutes, of which the first has gone.
        ("pattern:160x120@1/120x100", "", "no picture comes", "no llega imagen"),
    ],
)
def test_a_page_that_cannot_connect_says_which_step_failed(
    source: str, script: str, english: str, spanish: str, serve: Serve, page: Page
) -> None:
    server = serve("--source", source, "--model", "none", "--no-hud")
    page.add_init_script(script)
    page.clock.install()
    page.goto(server.url)
    status = page.locator(".state")
    for _ in range(30):
        if english in status.inner_text():
            break
        page.wait_for_timeout(500)
        page.clock.fast_forward(2000)
    assert english in status.inner_text()
    page.get_by_label("Language").select_option("es")
    assert spanish in status.inner_text()


def test_a_browser_that_has_no_way_but_the_turn_server_watches_by_it(
    serve: Serve, page: Page, coturn: Path, tmp_path: Path
) -> None:
    config = tmp_path / "turn.yaml"
    with turn_server(coturn, tmp_path) as turn:
        config.write_text(
            "streams: {pattern: {source: 'pattern:320x240@15x100000', sinks: ['null']}}\n"
            f"web: {{ice_servers: [{{urls: '{turn.url}', secret: '{SECRET}'}}]}}\n",
            encoding="utf-8",
        )
        server = serve(config)
        page.add_init_script(RELAYED)
        page.goto(server.url)
        wait_for(page, "live")
        page.wait_for_function("() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 3")
        kind = page.evaluate(
            """async () => {
              const report = [...(await window.connection.getStats()).values()];
              const { localCandidateId } = report.find((one) => one.type === "candidate-pair" && one.nominated);
              return report.find(({ id }) => id === localCandidateId).candidateType;
            }"""
        )
        assert kind == "relay"
        assert turn.sessions() >= 1


def test_a_phone_joins_a_secure_page_by_its_code(serve: Serve, browser: Browser, tmp_path: Path) -> None:
    host = reachable_host("0.0.0.0")
    made = own_certificate(tmp_path, ["localhost", host])
    server = serve(
        *(*PATTERN, "--host", "0.0.0.0", "--token", TOKEN, "--tls", made.cert_path, "--tls-key", made.key_path)
    )
    first = server.greeting.split()[1]
    assert first.startswith(f"https://{host}:")
    desk = browser.new_context(ignore_https_errors=True, locale="en-GB")
    page = desk.new_page()
    page.goto(first)
    wait_for(page, "live")
    assert page.evaluate("isSecureContext") is True
    page.get_by_role("button", name="Let a phone join").click()
    code = page.get_by_role("img", name="QR code of the link")
    picture = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    link, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert link == page.locator("#invitation a").get_attribute("href")
    # Encrypted as it is, the page does not warn.
    assert not page.get_by_text("This page is not encrypted").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Let a phone join").evaluate("one => one === document.activeElement")

    phone = browser.new_context(ignore_https_errors=True, viewport={"width": 360, "height": 740})
    other = phone.new_page()
    other.goto(link)
    wait_for(other, "live")
    assert other.evaluate("() => document.documentElement.scrollWidth") <= 360
    cookie = phone.cookies()[0]
    assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
    other.goto(link)
    assert "used already" in other.content()
    phone.close()
    desk.close()


def test_a_stream_is_added_and_taken_away_on_the_page(serve: Serve, page: Page, ffmpeg: Path, tmp_path: Path) -> None:
    config = tmp_path / "open.yaml"
    config.write_text(
        "streams: {pattern: {source: 'pattern:160x120@15x100000', sinks: ['null']}}\n"
        "web: {allow_sources: {networks: [127.0.0.0/8]}}\n",
        encoding="utf-8",
    )
    server = serve(config)
    page.goto(server.url)
    wait_for(page, "live")
    with HttpCamera(ffmpeg).start() as camera:
        page.get_by_role("button", name="Add a stream").click()
        page.get_by_label("Name").fill("Front door")
        page.get_by_label("Address of the camera or video").fill("http://192.168.77.7/cam")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("network that may not be reached").wait_for(timeout=WAIT_MS)
        page.get_by_label("Address of the camera or video").fill(camera.address)
        page.keyboard.press("Enter")
        page.locator(".stream[data-state=live] h2", has_text="Front door").wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name="Take away: Front door").click()
        page.locator("h2", has_text="Front door").wait_for(state="detached", timeout=WAIT_MS)
    assert page.locator(".stream").count() == 1
    assert server.end() == 0


def test_the_doctor_tries_a_connection_and_names_the_step_that_fails(
    mirilla: Mirilla, serve: Serve, coturn: Path, tmp_path: Path
) -> None:
    with turn_server(coturn, tmp_path) as turn:
        config = tmp_path / "web.yaml"
        stun = turn.url.replace("turn:", "stun:").partition("?")[0]
        config.write_text(
            "streams: {one: {source: pattern, sinks: ['null']}}\n"
            f"web: {{ice_servers: [{{urls: '{turn.url}', secret: wrong}}, '{stun}']}}\n",
            encoding="utf-8",
        )
        result = mirilla("doctor", "--webrtc", "--config", config, "--json")
    assert result.returncode == 1, result.stderr
    found = {one["name"]: one for one in json.loads(result.stdout)["findings"]}
    assert (found[turn.url]["state"], "401" in found[turn.url]["says"]) == ("broken", True)
    assert "web.ice_servers" in found[turn.url]["mend"]
    steps = ("networks", "signalling", "candidates", "ICE", "DTLS", "media")
    assert [found[step]["state"] for step in steps] == ["works"] * 6
    assert found["media"]["says"].endswith("320x240")
    assert found[stun]["says"].startswith("sees this machine as ")

    server = serve(*PATTERN, "--token", TOKEN)
    refused = mirilla("doctor", "--webrtc", "--url", server.url)
    assert refused.returncode == 1
    assert "--token" in refused.stdout
    assert mirilla("doctor", "--webrtc", "--url", server.url, "--token", TOKEN).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tls", "missing.pem"), ("web.tls.cert", "missing.pem")),
        (("--tls-key", "key.pem"), ("tls-key", "--tls")),
    ],
)
def test_a_certificate_that_is_no_use_is_said_in_a_line(
    mirilla: Mirilla, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    result = mirilla("serve", *PATTERN, *arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert all(word in result.stderr for word in words), result.stderr


def test_a_tab_that_is_closed_is_let_go_within_fifteen_seconds(serve: Serve, browser: Browser) -> None:
    server = serve(*PATTERN)
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    wait_for(page, "live")
    assert viewers(server) == 1
    context.close()
    until = time.monotonic() + 15
    while viewers(server):
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.1)


def viewers(server: Server) -> int:
    """How many there are."""
    with urllib.request.urlopen(f"{server.url}healthz", timeout=10) as response:
        count: int = json.load(response)["viewers"]
    return count
