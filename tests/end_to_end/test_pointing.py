"""Somebody clicks on the playing video in a real browser: what is there is cut out, and its mask stays on it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect
from pycocotools.mask import decode

from tests.end_to_end.pages import WAIT_MS, Server, free_port, grabbed, wait_for
from tests.segmenting.stand_in import ColourDecoder, ColourEncoder, write_stand_in
from tests.stream.pointing.scene import BLUE, HEIGHT, RED, WIDTH, iou, truth, write_clip

RATE = 10
"""Slow enough for a hand: the red disc goes 20 pixels a second."""

STREAM = "discs"

LISTEN = """
async ([address, seconds]) => {
  const { Player } = await import("/static/player.js");
  const video = document.createElement("video");
  video.muted = true;
  const heard = [];
  const player = new Player(address, video, {
    state: () => {},
    figures: () => {},
    shown: () => {},
    frame: (message) => heard.push(message),
  });
  player.start();
  while (!heard.length) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  player.stop();
  return heard;
}
"""
"""What the server says of every frame of so many seconds."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pointing")
    write_stand_in(folder / "colours", ColourEncoder(), ColourDecoder(), "colours")
    write_clip(folder / "discs.mp4", 1200, RATE)
    started = Server("--source", "discs.mp4", "--model", "colours", "--no-hud", port=free_port(), folder=folder)
    yield started
    assert started.end() == 0


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 900}, locale="en-GB")
    opened = context.new_page()
    opened.goto(server.url)
    wait_for(opened, "live")
    expect(opened.locator(".clicks")).to_be_visible(timeout=WAIT_MS)
    yield opened
    opened.get_by_role("button", name="Clear").click()
    expect(objects(opened)).to_have_count(0)
    context.close()


def objects(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^Object \d"))


def place_of(page: Page, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Where a disc is on the page at this moment."""
    near = np.abs(grabbed(page).astype(int) - colour).sum(axis=2) < 90
    rows, columns = np.nonzero(near)
    assert len(rows) > 200
    box = page.locator("video").bounding_box()
    assert box is not None
    x, y = np.median(columns) + 0.5, np.median(rows) + 0.5
    return box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT


def masks(message: dict[str, Any]) -> dict[int, NDArray[np.bool_]]:
    """The masks of a frame by their object's number, every second row and column."""
    found = message["results"].get("colours", {"detections": []})["detections"]
    return {int(one["label"].removeprefix("object ")): decode(one["mask"]).astype(bool) for one in found}


def heard(page: Page, seconds: float) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = page.evaluate(LISTEN, [f"/whep/{STREAM}", seconds])
    return messages


def test_a_mask_stays_on_what_was_clicked_for_five_seconds(page: Page) -> None:
    page.mouse.click(*place_of(page, BLUE))
    expect(objects(page)).to_have_count(1)
    page.get_by_role("button", name="Another object").click()
    page.mouse.click(*place_of(page, RED))
    expect(objects(page)).to_have_count(2)
    seen = [(message["index"], masks(message)) for message in heard(page, 5)]
    assert len(seen) >= 4 * RATE
    for number, colour in ((1, BLUE), (2, RED)):
        shares = [iou(found[number], truth(index, colour)[1::2, 1::2]) for index, found in seen if number in found]
        assert len(shares) == len(seen)
        assert np.mean(shares) > 0.7


def test_what_is_no_part_is_taken_away_and_given_back(page: Page) -> None:
    page.mouse.click(*place_of(page, BLUE))
    expect(objects(page)).to_have_count(1)
    whole = masks(heard(page, 0.5)[-1])[1].sum()
    x, y = place_of(page, BLUE)
    # The stand-in cuts a disc of 25 pixels around what is no part; the object is one of 24.
    page.mouse.click(x + 60, y, button="right")
    page.wait_for_timeout(500)
    less = masks(heard(page, 0.5)[-1])[1].sum()
    assert less < 0.8 * whole
    page.get_by_role("button", name="Undo").click()
    page.wait_for_timeout(500)
    assert masks(heard(page, 0.5)[-1])[1].sum() > 0.9 * whole


def test_a_box_and_the_keyboard_do_as_well(page: Page) -> None:
    x, y = place_of(page, BLUE)
    page.mouse.move(x - 70, y - 70)
    page.mouse.down()
    page.mouse.move(x + 70, y + 70, steps=3)
    page.mouse.up()
    expect(objects(page)).to_have_count(1)
    index, found = next((one["index"], masks(one)) for one in heard(page, 0.5)[::-1])
    assert iou(found[1], truth(index, BLUE)[1::2, 1::2]) > 0.7
    page.get_by_role("button", name="Remove object 1").click()
    expect(objects(page)).to_have_count(0)
    page.locator(".screen").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".cross")).to_be_visible()
    page.keyboard.press("-")
    expect(page.locator(".said")).to_have_text("Point at the object first.")
    page.keyboard.press("Enter")
    expect(objects(page)).to_have_count(1)


def test_a_click_on_a_paused_picture_is_answered_by_the_page(page: Page) -> None:
    place = place_of(page, BLUE)
    page.get_by_role("button", name="Pause").click()
    page.mouse.click(*place)
    expect(page.locator(".said")).to_have_text("The stream is paused: resume it, then click.")
    page.get_by_role("button", name="Resume").click()
    wait_for(page, "live")
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0")
    page.get_by_role("button", name="Another object").click()
    page.mouse.click(*place_of(page, BLUE))
    expect(objects(page)).to_have_count(1)


def test_clicks_that_mean_nothing_are_refused_and_the_stream_goes_on(page: Page, server: Server) -> None:
    def post(stream: str, content: object) -> tuple[int, str]:
        request = urllib.request.Request(
            f"{server.url}api/streams/{stream}/clicks",
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    point = {"type": "point", "pts_seconds": 1e6, "at": [0.5, 0.5]}
    assert post("nobody", point)[0] == 404
    assert post(STREAM, point | {"at": [2, 0]})[0] == 409
    assert post(STREAM, {"type": "box", "pts_seconds": 1, "corners": [[0.5, 0.5], [0.5, 0.5]]})[0] == 409
    assert post(STREAM, {"type": "shout"})[0] == 422
    before = server.captured()
    answers = {post(STREAM, point)[0] for _ in range(100)}
    assert answers <= {202, 409, 429}
    expect(page.locator(".said")).to_have_text("that picture is gone: click again", timeout=WAIT_MS)
    page.wait_for_timeout(2000)
    assert server.captured() >= before + RATE
