"""`mirilla serve` as people use it: a real browser opens the page of a real server."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from stream.sources.pattern import BARS_BGR, read_pattern_index
from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.pages import WAIT_MS, Serve, grabbed, index_shown, wait_for

PATTERN = ("--source", "pattern:320x240@15x100000", "--model", "none", "--no-hud")
TOKEN = "0123456789abcdef"
PHONE = ViewportSize(width=360, height=740)


def test_the_stream_moves_in_its_colours_and_shows_what_was_captured_just_now(serve: Serve, page: Page) -> None:
    server = serve(*PATTERN)
    page.goto(server.url)
    wait_for(page, "live")
    first, shown_at_most = index_shown(page), server.captured()
    # Two seconds of pictures, on a machine that does other work too.
    assert shown_at_most - 30 <= first <= shown_at_most
    page.wait_for_function("() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 15")
    picture = grabbed(page)
    assert picture.shape == (240, 320, 3)
    assert (read_pattern_index(picture) or 0) > first
    for number, colour in enumerate(BARS_BGR):
        assert picture[60, 20 + 40 * number].tolist() == pytest.approx(colour, abs=12)

    # The panel is opened by keyboard, and knows what only the server, and only the browser, can know.
    page.get_by_role("button", name="Figures: pattern").focus()
    page.keyboard.press("Enter")
    figure = page.locator(".figures div")
    page.wait_for_function("() => /ms/.test(document.querySelector('[data-trace=latency] .now').textContent)")
    page.locator("[data-figure=sourceRate]").wait_for()
    figures = dict(zip(figure.locator("dt").all_inner_texts(), figure.locator("dd").all_inner_texts(), strict=True))
    assert figures["codec"].split() == ["H264", "320\N{MULTIPLICATION SIGN}240"]
    assert {"shown", "dropped here", "packets lost", "encoding", "source"} <= set(figures)
    latency = page.locator("[data-trace=latency]")
    assert 0 < float(latency.locator(".now").inner_text().removesuffix(" ms").replace(",", "")) < 2000
    # Who does not see the graph hears the same.
    assert re.fullmatch(
        r"capture to screen, the last minute: [\d.,]+ ms; \d+ to \d+",
        latency.get_by_role("img").get_attribute("aria-label") or "",
    )
    assert page.locator("[data-trace] .name").all_inner_texts() == ["capture to screen", "received", "bit rate"]

    page.get_by_role("button", name="Pause: pattern").click()
    wait_for(page, "paused")
    page.get_by_role("button", name="Resume: pattern").click()
    wait_for(page, "live")
    assert server.end() == 0


def test_what_the_model_sees_stands_under_the_picture_and_the_page_speaks_spanish(serve: Serve, page: Page) -> None:
    server = serve("--source", "doodles:640x360", "--model", "quickdraw-32")
    page.goto(server.url)
    wait_for(page, "live")
    page.wait_for_function("() => document.querySelector('.seen').textContent.length > 3", timeout=WAIT_MS)
    page.get_by_label("Language").select_option("es")
    assert page.get_by_role("button", name="Pantalla completa: doodles").is_visible()
    assert page.locator(".state").inner_text() == "en directo"
    assert page.locator("html").get_attribute("lang") == "es"
    assert page.get_by_label("Imagen en directo de doodles").count() == 1

    # On a telephone nothing reaches over the edge, and every button is large enough for a finger.
    page.set_viewport_size(PHONE)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    heights = page.locator("button:visible").evaluate_all(
        "buttons => buttons.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


def test_the_page_comes_back_by_itself_when_the_server_does(serve: Serve, page: Page) -> None:
    server = serve(*PATTERN)
    page.goto(server.url)
    wait_for(page, "live")
    assert server.end() == 0
    wait_for(page, "waiting")
    # It says what it does, and how often it has tried.
    page.get_by_text(re.compile(r"^interrupted, trying again \(attempt [2-9]\)")).wait_for(timeout=WAIT_MS)
    again = serve(*PATTERN, port=int(server.url.rstrip("/").rpartition(":")[2]))
    wait_for(page, "live")
    page.wait_for_function("() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 3")
    assert index_shown(page) <= again.captured()


def test_a_wrong_token_is_refused_and_the_right_one_opens(serve: Serve, page: Page) -> None:
    server = serve(*PATTERN, "--token", TOKEN)
    page.goto(server.url)
    field = page.get_by_label("Token of this server")
    field.fill("not-the-right-token")
    page.keyboard.press("Enter")
    page.get_by_text("This is not the token.").wait_for()
    assert page.locator("video").count() == 0
    field.fill(TOKEN)
    page.keyboard.press("Enter")
    wait_for(page, "live")


def test_the_printed_link_opens_the_page_without_a_token_once(serve: Serve, page: Page) -> None:
    server = serve(*PATTERN, "--token", TOKEN)
    link = re.search(r"http://\S+", server.greeting)
    assert link is not None
    page.goto(link[0])
    assert page.url == server.url
    wait_for(page, "live")
    page.context.clear_cookies()
    page.goto(link[0])
    assert "used already" in page.content()


def test_a_stream_that_breaks_says_so_on_the_page_and_the_others_go_on(serve: Serve, page: Page, clip: Path) -> None:
    broken = clip.with_name("broken.mp4")
    broken.write_bytes(clip.read_bytes())
    config = clip.with_name("two.yaml")
    config.write_text(
        "streams:\n"
        "  good: {source: 'pattern:160x120@15x100000', sinks: ['null']}\n"
        "  gone: {source: broken.mp4, sinks: ['null']}\n",
        encoding="utf-8",
    )
    server = serve(config)
    # When it has ended for the first time, it is not there any more.
    broken.unlink()
    page.goto(server.url)
    page.locator(".stream[data-state=failed] .state", has_text="broken.mp4").wait_for(timeout=WAIT_MS)
    page.locator(".stream[data-state=live] h2", has_text="good").wait_for(timeout=WAIT_MS)
    assert server.end() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # Too short for a secret.
        (("--token", "short"), ("token", "16")),
        (("--port", "70000"), ("port", "70000")),
        (("--host", "no.such.host.invalid"), ("host", "no.such.host.invalid", "127.0.0.1")),
        (("--source", "missing.mp4"), ("missing.mp4",)),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    mirilla: Mirilla, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    result = mirilla("serve", *PATTERN, *arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert all(word in result.stderr for word in words), result.stderr


def test_a_port_that_is_taken_is_named(mirilla: Mirilla) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = mirilla("serve", *PATTERN, "--port", port)
    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr
