"""The page /draw as people use it: a real browser, a mouse, a pen or a finger, and drawings that people made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, ViewportSize, expect

from models import load_model
from models.sketch_raster import draw_in_box, simplify
from models.stroke_model import StrokeModel
from models.training.quickdraw_data import Split, category_names, read_sketches
from tests.end_to_end.pages import WAIT_MS, Serve, Server, free_port, grabbed

TOKEN = "0123456789abcdef"
PHONE = ViewportSize(width=360, height=740)
SHEET = "#sheet"
Strokes = list[NDArray[np.float32]]

COLOURED = """
(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .filter((value, index) => index % 4 === 3 && value > 127).length
"""
"""How many of the sheet's pixels have ink."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for those tests that leave it as it was."""
    started = Server(port=free_port(), folder=tmp_path_factory.mktemp("nothing"))
    yield started
    started.process.kill()
    started.process.wait()


def drawing_of(test_data: Path, word: str) -> Strokes:
    """The first drawing of a category that the bundled model is sure of, simplified, in 0..255."""
    model = StrokeModel(load_model("quickdraw-32", device="cpu"))
    for line in (test_data / "quickdraw/strokes" / f"{word}.ndjson").read_text(encoding="utf-8").splitlines():
        strokes = simplify([np.array(stroke[:2], float).T for stroke in json.loads(line)["drawing"]])
        guess = model(strokes)
        if guess.labels[0] == word and guess.scores[0] > 0.8 and len(strokes) > 1:
            return strokes
    raise AssertionError(f"the model is sure of no drawing of a {word}")


def draw(page: Page, strokes: Strokes) -> None:
    """Draw with the mouse, in the middle of the sheet."""
    page.locator(SHEET).scroll_into_view_if_needed()
    box = page.locator(SHEET).bounding_box()
    assert box is not None
    corner = np.array([box["x"], box["y"]]) + 0.1 * box["width"]
    for stroke in strokes:
        places = (stroke * (0.8 * box["width"] / 255) + corner).tolist()
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()


def open_pad(page: Page, server: Server) -> None:
    page.goto(f"{server.url}draw")
    page.wait_for_function("() => document.getElementById('model').options.length > 0", timeout=WAIT_MS)


def first_guess(page: Page, word: str) -> None:
    expect(page.locator("#guesses .name").first).to_have_text(word, timeout=WAIT_MS)


def state(page: Page, name: str) -> None:
    expect(page.locator("#studio")).to_have_attribute("data-state", name, timeout=WAIT_MS)


def ink_px(page: Page) -> int:
    count: int = page.locator(SHEET).evaluate(COLOURED)
    return count


def test_without_any_configuration_a_drawing_is_guessed_while_it_is_drawn(
    serve: Serve, page: Page, test_data: Path
) -> None:
    server = serve()
    open_pad(page, server)
    cat = drawing_of(test_data, "cat")
    draw(page, cat)
    first_guess(page, "cat")
    assert page.locator("#guesses li").count() == 5
    # Who cannot see it hears it, and how quick it was stands there.
    expect(page.get_by_role("status").filter(has_text="I see: cat")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_function("() => /Answers in \\d+ ms/.test(document.getElementById('quick').textContent)")

    # Every stroke is taken back by keyboard, and comes back where clearing is taken back.
    whole = ink_px(page)
    page.keyboard.press("c")
    expect(page.locator("#guesses .name").first).to_have_text("", timeout=WAIT_MS)
    assert ink_px(page) == 0
    page.keyboard.press("Control+z")
    first_guess(page, "cat")
    assert ink_px(page) == whole
    for _ in cat:
        page.keyboard.press("u")
    expect(page.locator("#guesses .name").first).to_have_text("", timeout=WAIT_MS)
    assert ink_px(page) == 0
    assert server.end() == 0


def test_the_eraser_takes_whole_strokes_and_gives_them_back(server: Server, page: Page) -> None:
    open_pad(page, server)
    across = [np.array([[0, y], [255, y]], np.float32) for y in (50, 128, 200)]
    draw(page, across)
    whole = ink_px(page)
    page.get_by_role("button", name="Eraser").click()
    # Down through the first two.
    draw(page, [np.array([[128, 20], [128, 160]], np.float32)])
    assert ink_px(page) == pytest.approx(whole / 3, rel=0.15)
    page.get_by_role("button", name="Undo").click()
    assert ink_px(page) == whole


def test_a_pen_that_is_pressed_draws_wider_and_a_stroke_ends_at_the_edge(server: Server, page: Page) -> None:
    open_pad(page, server)
    box: Any = page.locator(SHEET).bounding_box()
    devtools = page.context.new_cdp_session(page)

    def line(x: float, force: float) -> int:
        before = ink_px(page)
        for kind, y in (("mousePressed", 0.2), ("mouseMoved", 0.5), ("mouseMoved", 1.5), ("mouseReleased", 1.5)):
            place = {"x": box["x"] + x * box["width"], "y": min(box["y"] + y * box["height"], 795)}
            event = {
                "type": kind,
                "button": "left",
                "buttons": 1,
                "clickCount": 1,
                "pointerType": "pen",
                "force": force,
            }
            devtools.send("Input.dispatchMouseEvent", {**event, **place})
        return ink_px(page) - before

    light, firm = line(0.3, 0.1), line(0.6, 0.9)
    # 0.4 + 1.2 times the force: 0.52 and 1.48 of the mouse's width.
    assert firm / light == pytest.approx(1.48 / 0.52, rel=0.15)


def test_a_finger_draws_and_does_not_scroll_and_all_fits_a_telephone(
    server: Server, browser: Browser, test_data: Path
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2, locale="es-ES")
    page = context.new_page()
    open_pad(page, server)
    devtools = context.new_cdp_session(page)
    box: Any = page.locator(SHEET).bounding_box()
    for stroke in drawing_of(test_data, "house"):
        for index, (x, y) in enumerate((stroke * (0.8 * box["width"] / 255) + 0.1 * box["width"]).tolist()):
            touch = [{"x": box["x"] + x, "y": box["y"] + y}]
            devtools.send(
                "Input.dispatchTouchEvent", {"type": "touchMove" if index else "touchStart", "touchPoints": touch}
            )
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    first_guess(page, "casa")
    assert page.evaluate("() => scrollY") == 0
    # As sharp as the screen, and no wider.
    assert page.locator(SHEET).evaluate("(canvas) => canvas.width / canvas.clientWidth") == pytest.approx(2, abs=0.01)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    buttons = page.locator("button:visible").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert min(buttons) >= 44
    # The sheet and the first guess are seen together.
    assert page.locator("#guesses li").first.evaluate("(row) => row.getBoundingClientRect().bottom") < PHONE["height"]
    context.close()


def test_a_whole_game(server: Server, page: Page, test_data: Path, tmp_path: Path) -> None:
    page.clock.install()
    open_pad(page, server)
    page.get_by_role("button", name="Play a game").click()
    played: list[tuple[str, bool]] = []

    def begin() -> str:
        state(page, "ready")
        word = page.locator("#curtain-word").get_attribute("data-word")
        assert word is not None
        assert page.locator("#curtain-round").inner_text() == f"Word {len(played) + 1} of 6. Draw:"
        # The button has the focus already.
        page.keyboard.press("Enter")
        state(page, "drawing")
        return word

    def follow(word: str, is_hit: bool) -> None:
        state(page, "done")
        played.append((word, is_hit))
        page.clock.run_for(3000)

    # Drawn, and known: it says so at once.
    word = begin()
    draw(page, drawing_of(test_data, word))
    expect(page.locator("#saying")).to_have_text(f"Oh, I know: {word}!", timeout=WAIT_MS)
    follow(word, True)

    # Nothing is drawn: the twenty seconds pass. A page that nobody sees stops the clock.
    word = begin()
    page.clock.run_for(12_000)
    page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        delete document.hidden;
    }""")
    state(page, "paused")
    page.clock.run_for(60_000)
    state(page, "paused")
    page.get_by_role("button", name="Go on").click()
    state(page, "drawing")
    page.clock.run_for(6000)
    state(page, "drawing")
    page.clock.run_for(3000)
    expect(page.locator("#saying")).to_have_text(f"Time is up. It was: {word}.", timeout=WAIT_MS)
    follow(word, False)

    # Another thing is drawn.
    word = begin()
    other = "house" if word != "house" else "cat"
    draw(page, drawing_of(test_data, other))
    first_guess(page, other)
    page.keyboard.press("n")
    follow(word, False)
    for _ in range(3):
        word = begin()
        page.get_by_role("button", name="Next").click()
        follow(word, False)

    state(page, "over")
    expect(page.locator("#summary-title")).to_have_text("It knew 1 of your 6 drawings")
    cards = page.locator("#rounds .drawing")
    assert len(dict(played)) == 6, "no word comes twice"
    shown = cards.evaluate_all("all => all.map(({ dataset }) => [dataset.word, dataset.recognized === 'true'])")
    assert [tuple(one) for one in shown] == played
    assert other in cards.nth(2).locator(".seen-as").inner_text()
    assert cards.nth(1).locator(".seen-as").inner_text() == "It saw nothing."

    # What was drawn is kept, and is what the training reads.
    page.get_by_role("button", name="Keep all").click()
    shelves = page.locator(".shelf")
    expect(shelves).to_have_count(2)
    for index in range(2):
        with page.expect_download() as download:
            shelves.nth(index).get_by_role("button", name="Strokes").click()
        download.value.save_as(tmp_path / "drawn" / download.value.suggested_filename)
    kept = {played[0][0], played[2][0]}
    assert set(category_names(tmp_path / "drawn")) == kept
    sketches = read_sketches(tmp_path / "drawn", "training", Split(0.0, 0.0), sorted(kept))
    assert len(sketches) == 2
    told = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((tmp_path / "drawn").iterdir())]
    assert {(one["word"], one["recognized"]) for one in told} == {(played[0][0], True), (played[2][0], False)}


def test_a_kept_drawing_stays_and_its_files_hold_what_was_drawn(
    server: Server, page: Page, test_data: Path, tmp_path: Path
) -> None:
    open_pad(page, server)
    star = drawing_of(test_data, "star")
    draw(page, star)
    first_guess(page, "star")
    page.keyboard.press("s")
    # The best guess is offered.
    assert page.get_by_role("combobox", name="Word").input_value() == "star"
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    page.reload()
    shelf = page.locator(".shelf[data-word=star]")
    with page.expect_download() as download:
        shelf.get_by_role("button", name="Strokes: star").click()
    assert download.value.suggested_filename == "star.ndjson"
    path = tmp_path / "kept" / "star.ndjson"
    download.value.save_as(path)

    # The raw layout of https://github.com/googlecreativelab/quickdraw-dataset, with times that run on.
    line = json.loads(path.read_text(encoding="utf-8"))
    assert set(line) == {"key_id", "word", "countrycode", "timestamp", "recognized", "drawing"}
    assert line["key_id"].isdecimal()
    assert line["timestamp"].endswith(" UTC")
    assert len(line["drawing"]) == len(star)
    times = [moment for stroke in line["drawing"] for moment in stroke[2]]
    assert times[0] == 0
    assert times == sorted(times)
    assert times[-1] > 0
    (kept,) = read_sketches(path.parent, "training", Split(0.0, 0.0), ["star"]).rendered().astype(float)
    assert np.sqrt(((kept - draw_in_box(star)) ** 2).mean()) < 25, "grey levels; another star is 60 and more away"

    with page.expect_download() as download:
        shelf.get_by_role("button", name="Picture: star").click()
    assert download.value.suggested_filename.startswith("star ")
    download.value.save_as(tmp_path / "star.png")
    picture: Any = cv2.imread(str(tmp_path / "star.png"), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (1024, 1024)
    dark = np.argwhere(picture < 128)
    extent = np.concatenate(star)
    expected = np.concatenate([extent.min(axis=0), extent.max(axis=0)])[[1, 0, 3, 2]] / 255 * 0.8 + 0.1
    np.testing.assert_allclose(np.concatenate([dark.min(axis=0), dark.max(axis=0)]) / 1024, expected, atol=0.02)

    page.on("dialog", lambda dialog: dialog.accept())
    shelf.get_by_role("button", name="Delete: star").click()
    expect(shelf).to_have_count(0)


def test_others_watch_a_shared_sheet_while_their_streams_go_on(serve: Serve, page: Page, test_data: Path) -> None:
    server = serve("--source", "pattern:160x120@15x100000", "--model", "none", "--no-hud")
    watching = page.context.new_page()
    watching.goto(server.url)
    watching.locator(".stream[data-state=live] h2", has_text="pattern").wait_for(timeout=WAIT_MS)
    watching.evaluate("() => { document.querySelector('video').isTheSame = true; }")

    open_pad(page, server)
    draw(page, drawing_of(test_data, "house"))
    page.get_by_role("button", name="Let others watch").click()
    expect(page.get_by_text("as sketchpad.")).to_be_visible(timeout=WAIT_MS)
    watching.locator(".stream[data-state=live] h2", has_text="sketchpad").wait_for(timeout=WAIT_MS)
    expect(watching.locator(".seen").nth(1)).to_contain_text("house", timeout=WAIT_MS)
    assert watching.evaluate(
        "() => document.querySelector('video').isTheSame && !document.querySelector('video').paused"
    )
    watching.evaluate("() => document.querySelector('.stream').remove()")
    picture = grabbed(watching)
    assert picture.shape == (720, 1080, 3)
    sheet = picture[40:680, 40:680].max(axis=2)
    assert (sheet > 200).mean() > 0.8, "paper"
    assert (sheet < 100).mean() > 0.01, "ink"

    page.get_by_role("button", name="Let others watch").click()
    expect(watching.locator("h2", has_text="sketchpad")).to_have_count(0, timeout=WAIT_MS)


def test_the_line_mends_itself_and_the_drawing_is_guessed_again(serve: Serve, page: Page, test_data: Path) -> None:
    server = serve()
    open_pad(page, server)
    cat = drawing_of(test_data, "cat")
    draw(page, cat[:1])
    expect(page.locator("#guesses .name").first).not_to_have_text("", timeout=WAIT_MS)
    server.end()
    expect(page.locator("#notice")).to_contain_text("does not answer", timeout=WAIT_MS)
    draw(page, cat[1:])
    serve(port=int(server.url.rstrip("/").rpartition(":")[2]))
    first_guess(page, "cat")
    expect(page.locator("#notice")).to_have_text("")


def test_where_a_token_is_asked_for_the_page_says_where_to_give_it(serve: Serve, page: Page) -> None:
    server = serve("--token", TOKEN)
    page.goto(f"{server.url}draw")
    page.get_by_role("link", name="Give it here").click()
    page.get_by_label("Token of this server").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Token of this server")).to_have_count(0, timeout=WAIT_MS)
    open_pad(page, server)
