"""The page draws what models see on the frame that is shown: a real browser, and models whose answers are known."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from stream.sources.pattern import BARS_BGR, read_pattern_index
from tests.end_to_end.pages import WAIT_MS, Serve, Server, free_port
from tests.models.stand_in_packages import detector_package, pose_package, query_mask_package, segmenter_package

WIDTH, HEIGHT = 320, 240
# Of 64x64, as the models see it: a pixel there is 5 wide and 3.75 high in the frame.
DOG, PERSON = (8, 8, 24, 40), (40, 16, 56, 48)
DOG_EDGE, PERSON_EDGE = (40.5, 90), (200.5, 120)
"""On the middle of the left sides, in the frame."""

SKY, ORANGE, GREEN = (77, 200, 255), (255, 166, 92), (130, 230, 150)
"""The first colours of `stream.overlays.theme.PALETTE`, as RGB: of classes 0, 1, 2; of a body's left, right, middle."""

MASK_BLEND, VEIL, FAINT = round(0.4 * 255), round(0.7 * 255), round(0.22 * 255)

PIXEL = """
(section, [x, y]) => {
  const video = section.querySelector("video");
  const canvas = section.querySelector("canvas.overlay");
  const screen = video.getBoundingClientRect();
  const scale = Math.min(screen.width / video.videoWidth, screen.height / video.videoHeight);
  const left = (screen.width - video.videoWidth * scale) / 2;
  const top = (screen.height - video.videoHeight * scale) / 2;
  const [column, row] = [left + x * scale, top + y * scale].map((at) => Math.floor(at * devicePixelRatio));
  return [...canvas.getContext("2d").getImageData(column, row, 1, 1).data];
}
"""
"""What the canvas has over a pixel of the frame: red, green, blue, alpha."""

CONFIG = """
streams:
  boxes:
    source: pattern:320x240@15x100000
    models: [boxes]
    sinks: ["null"]
    overlay: browser
  areas:
    source: pattern:320x240@15x100000
    models: [{package: masks, classes: [dog]}, map]
    sinks: ["null"]
    overlay: browser
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("explore")
    detector_package(folder / "boxes", [(*DOG, 0.9, 0), (*PERSON, 0.5, 1)])
    rows, columns = np.mgrid[:64, :64]
    round_one = (columns - 16) ** 2 + (rows - 32) ** 2 < 144
    # Every pixel is some object's: what is not the dog's is the person's, which the configuration leaves out.
    query_mask_package(folder / "masks", [(0.9, 0, round_one), (0.8, 1, ~round_one)])
    # The right half is sky; of the left half, the upper part is background, which is not drawn.
    halves = np.where(columns >= 32, 1, np.where(rows < 8, 0, 2))
    segmenter_package(folder / "map", halves, ("background", "sky", "ground"))
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    started = Server("config.yaml", port=free_port(), folder=folder)
    yield started
    assert started.end() == 0


@contextmanager
def opened(browser: Browser, server: Server, **context: Any) -> Iterator[Page]:
    one = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB", **context)
    page = one.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.url)
    yield page
    one.close()
    assert not errors


def stream(page: Page, title: str) -> Locator:
    """A stream's part of the page, when the page draws on it."""
    section = page.locator(".stream", has=page.get_by_role("heading", name=title))
    section.locator(".class").first.wait_for(timeout=WAIT_MS)
    return section


def pixel(section: Locator, place: tuple[float, float]) -> list[int]:
    found: list[int] = section.evaluate(PIXEL, list(place))
    return found


def becomes(section: Locator, place: tuple[float, float], rgba: tuple[float, ...], off: int = 3) -> None:
    """Wait until the canvas has this over a pixel of the frame."""
    for _ in range(100):
        found = pixel(section, place)
        if found == pytest.approx(rgba, abs=off):
            return
        section.page.wait_for_timeout(50)
    assert found == pytest.approx(rgba, abs=off)


def point_at(section: Locator, place: tuple[float, float]) -> None:
    bounds = section.locator("video").bounding_box()
    assert bounds is not None
    x, y = place
    section.page.mouse.move(bounds["x"] + x * bounds["width"] / WIDTH, bounds["y"] + y * bounds["height"] / HEIGHT)


def class_button(section: Locator, label: str) -> Locator:
    return section.get_by_role("button", name=f"{label}, ")


CLEAR = (0, 0, 0, 0)


def test_boxes_stand_where_they_were_found_and_only_there(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        boxes = stream(page, "boxes")
        becomes(boxes, DOG_EDGE, (*SKY, 255))
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))
        becomes(boxes, (80, 90), CLEAR)
        becomes(boxes, (10, 200), CLEAR)
        # The picture itself is plain: beneath the line of the dog's box is the second colour bar, yellow.
        assert shown_in(boxes)[90, 41].tolist() == pytest.approx(BARS_BGR[1], abs=12)

        # In a screen of another shape the picture has bars at two sides, and the boxes stay on it.
        boxes.locator(".screen").evaluate("screen => { screen.style.aspectRatio = '1 / 1'; }")
        becomes(boxes, DOG_EDGE, (*SKY, 255))
        becomes(boxes, (10, 200), CLEAR)
        boxes.get_by_role("button", name="Full screen: boxes").click()
        page.wait_for_function("() => document.fullscreenElement")
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))
        becomes(boxes, (310, 200), CLEAR)


def test_a_sharper_screen_gets_a_sharper_overlay(browser: Browser, server: Server) -> None:
    with opened(browser, server, device_scale_factor=2) as page:
        boxes = stream(page, "boxes")
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))
        width: float = boxes.locator("video").evaluate("video => video.getBoundingClientRect().width")
        assert boxes.locator("canvas.overlay").evaluate("canvas => canvas.width") == round(2 * width)


def test_what_the_pointer_is_on_stands_out_and_so_does_its_class(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        boxes = stream(page, "boxes")
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))
        point_at(boxes, (80, 90))
        becomes(boxes, PERSON_EDGE, (*ORANGE, FAINT), off=16)
        becomes(boxes, DOG_EDGE, (*SKY, 255))
        expect(boxes.locator(".class[data-marked] .label")).to_have_text("dog")
        # Beside all things, all are alike again.
        point_at(boxes, (310, 230))
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))

        class_button(boxes, "person").focus()
        becomes(boxes, DOG_EDGE, (*SKY, FAINT), off=16)
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))


def test_a_class_is_isolated_by_mouse_and_by_keyboard_for_one_viewer_alone(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page, opened(browser, server) as another:
        boxes, others = stream(page, "boxes"), stream(another, "boxes")
        dog = class_button(boxes, "dog")
        dog.click()
        expect(dog).to_have_attribute("aria-pressed", "true")
        becomes(boxes, DOG_EDGE, (*SKY, 255))
        # The person has gone, and all but the dog is dark.
        for place in (PERSON_EDGE, (10, 200)):
            becomes(boxes, place, (8, 12, 11, VEIL))
        becomes(boxes, (80, 90), CLEAR)
        becomes(others, PERSON_EDGE, (*ORANGE, 255))

        dog.press("Enter")
        expect(dog).to_have_attribute("aria-pressed", "false")
        dog.evaluate("button => button.blur()")
        page.mouse.move(5, 5)
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))
        becomes(boxes, (10, 200), CLEAR)


def test_a_threshold_takes_away_what_is_less_sure(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        boxes = stream(page, "boxes")
        slider = boxes.get_by_role("slider", name="Least score of boxes")
        slider.fill("0.51")
        becomes(boxes, PERSON_EDGE, CLEAR)
        becomes(boxes, DOG_EDGE, (*SKY, 255))
        expect(class_button(boxes, "person").locator(".count")).to_have_text("0")
        assert boxes.locator("output").inner_text() == "51 %"
        # The person's score is 0.5: not below it any more.
        slider.press("ArrowLeft")
        becomes(boxes, PERSON_EDGE, (*ORANGE, 255))


def test_masks_and_maps_are_drawn_where_they_are(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        areas = stream(page, "areas")
        # "ground" is class 2 of the map, green; background is as it was.
        becomes(areas, (240, 120), (*ORANGE, MASK_BLEND))
        becomes(areas, (80, 15), CLEAR)
        becomes(areas, (20, 230), (*GREEN, MASK_BLEND))
        # The dog's mask lies over the ground, blended into it: 0.4 and, of what is left, 0.4.
        covered = MASK_BLEND + (255 - MASK_BLEND) * 0.4
        assert pixel(areas, (80, 120))[3] == pytest.approx(covered, abs=3)
        assert areas.locator(".class .label").all_inner_texts() == ["dog", "sky", "ground"]
        # A map's classes have no scores.
        assert areas.get_by_role("slider").count() == 1

        # The dog is smaller than the ground that it lies on.
        point_at(areas, (80, 120))
        expect(areas.locator(".class[data-marked] .label")).to_have_text("dog")
        point_at(areas, (80, 190))
        expect(areas.locator(".class[data-marked] .label")).to_have_text("ground")
        class_button(areas, "sky").click()
        becomes(areas, (240, 120), CLEAR)
        becomes(areas, (80, 120), (8, 12, 11, VEIL))


def test_poses_are_joined_in_the_colours_of_the_bodys_sides(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    # The stand-in takes the reddest spot for the nose, the greenest for the left eye, the bluest for the right one.
    picture = np.full((128, 160, 3), 60, np.uint8)
    spots = {(80, 30): (60, 60, 250), (30, 90): (60, 250, 60), (130, 90): (250, 60, 60)}
    for place, colour in spots.items():
        cv2.circle(picture, place, 5, colour, cv2.FILLED)
    cv2.imwrite(str(tmp_path / "face.png"), picture)
    pose_package(tmp_path / "pose")
    (tmp_path / "config.yaml").write_text(
        "streams: {face: {source: face.png, models: [{package: pose, detector: none}], sinks: ['null'], "
        "overlay: browser}}\n",
        encoding="utf-8",
    )
    with opened(browser, serve("config.yaml")) as page:
        face = stream(page, "face")
        drawn = overlay_of(face)
        # Cells of the stand-in's map are 4 pixels wide.
        for place, colour in (((80, 30), GREEN), ((30, 90), SKY), ((130, 90), ORANGE)):
            assert has_near(drawn, place, colour), place
        # Between the nose and each eye runs a limb of that side; between the eyes there is none.
        assert has_near(drawn, (55, 60), SKY)
        assert has_near(drawn, (105, 60), ORANGE)
        assert not has_near(drawn, (80, 90), SKY)
        assert not has_near(drawn, (80, 90), ORANGE)


def test_a_viewer_may_leave_the_drawing_to_the_server(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        boxes = stream(page, "boxes")
        explore = boxes.get_by_role("button", name="Explore: boxes")
        explore.click()
        expect(explore).to_have_attribute("aria-pressed", "false")
        expect(boxes.locator("canvas.overlay")).to_be_hidden()
        expect(boxes.locator(".seen")).to_have_text("dog, person", timeout=WAIT_MS)
        # The line of the dog's box is in the picture now.
        for _ in range(100):
            if shown_in(boxes)[90, 41].tolist() == pytest.approx(SKY[::-1], abs=40):
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail("no box is in the picture")


SHOWN = """
async ([address, count]) => {
  const { Player } = await import("/static/player.js");
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const nothing = () => {};
  const tell = { state: nothing, figures: nothing, frame: nothing, shown: nothing };
  const player = new Player(address, video, tell);
  const canvas = document.createElement("canvas");
  const pairs = [];
  player.start();
  await new Promise((resolve) => {
    setTimeout(resolve, 20_000);
    const look = (_, { rtpTimestamp, mediaTime }) => {
      const { frame } = player;
      const picture = new VideoFrame(video);
      const isSame = Math.abs(picture.timestamp / 1e6 - mediaTime) < 0.001;
      if (isSame && frame.messages.has((rtpTimestamp - frame.origin) >>> 0)) {
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        canvas.getContext("2d").drawImage(picture, 0, 0);
        pairs.push([frame.shown?.index, canvas.toDataURL("image/png").split(",")[1]]);
      }
      picture.close();
      if (pairs.length === count) resolve();
      else video.requestVideoFrameCallback(look);
    };
    // From now on always after the page's own.
    tell.shown = () => {
      tell.shown = nothing;
      video.requestVideoFrameCallback(look);
    };
  });
  player.stop();
  return pairs;
}
"""
"""Watches a stream; for so many pictures, the frame that the page takes them for, and the picture.

A picture that a busy machine has replaced before it could be read, or whose message is late, is none of them.
"""


def test_what_is_drawn_belongs_to_the_very_frame_that_is_shown(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        pairs = page.evaluate(SHOWN, ["/whep/boxes?picture=plain", 20])
    read = [(claimed, read_pattern_index(image_of(data))) for claimed, data in pairs]
    assert len({claimed for claimed, _ in read}) > 10
    assert [claimed for claimed, _ in read] == [index for _, index in read]


MASKS = """
async (masks) => {
  const { decodeMask, outlines, pathOf } = await import("/static/masks.js");
  const context = document.createElement("canvas").getContext("2d");
  return masks.map((rle) => {
    const mask = decodeMask(rle);
    const path = pathOf(outlines(mask), 1, 1);
    const within = [];
    for (let y = 0; y < mask.height; y++) {
      for (let x = 0; x < mask.width; x++) {
        within.push(Number(context.isPointInPath(path, x + 0.5, y + 0.5, "evenodd")));
      }
    }
    return { inside: [...mask.inside], within };
  });
}
"""
"""The pixels of masks, and those whose middles the outline holds."""


def some_masks() -> list[NDArray[np.uint8]]:
    rows, columns = np.mgrid[:31, :47]
    distance = np.hypot(rows - 15, columns - 23)
    noise = np.random.default_rng(6).random((40, 33))
    return [
        np.zeros((1, 1), np.uint8),
        np.ones((1, 1), np.uint8),
        np.zeros((5, 3), np.uint8),
        np.ones((3, 5), np.uint8),
        # a ring: its hole is a second loop
        ((distance > 6) & (distance < 12)).astype(np.uint8),
        # pixels that touch at their corners only
        np.indices((7, 9)).sum(axis=0).astype(np.uint8) % 2,
        # long runs, whose numbers take several characters
        np.kron(np.eye(2), np.ones((150, 90))).astype(np.uint8),
        (noise > 0.5).astype(np.uint8),
    ]


def test_masks_are_read_as_coco_writes_them_and_outlined(browser: Browser, server: Server) -> None:
    masks = some_masks()
    encoded = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
    given = [{"size": list(one["size"]), "counts": one["counts"].decode()} for one in encoded]
    with opened(browser, server) as page:
        found = page.evaluate(MASKS, given)
    for mask, one in zip(masks, found, strict=True):
        assert one["inside"] == mask.ravel().tolist()
        # Outlines cut corners, but not as far in as the middle of a pixel.
        assert one["within"] == mask.ravel().tolist()


def shown_in(section: Locator) -> NDArray[np.uint8]:
    """The video's picture, without what lies over it."""
    data: str = section.evaluate(
        """async (section) => {
          const video = section.querySelector("video");
          while (!video.videoWidth) await new Promise(requestAnimationFrame);
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
          canvas.getContext("2d").drawImage(video, 0, 0);
          return canvas.toDataURL("image/png").split(",")[1];
        }"""
    )
    return image_of(data)


def overlay_of(section: Locator) -> NDArray[np.uint8]:
    """The canvas over the video, (H, W, 4), as RGBA."""
    data: str = section.locator("canvas.overlay").evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    picture: Any = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), np.uint8)


def has_near(drawn: NDArray[np.uint8], place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Whether the colour is within 5 pixels of a place in a frame 160 wide."""
    scale = drawn.shape[1] / 160
    left, right, top, bottom = (round(scale * (at + way)) for at in place for way in (-5, 5))
    part = drawn[top:bottom, left:right].astype(int)
    return bool(np.all(np.abs(part - (*colour, 255)) <= 3, axis=2).any())


def image_of(data: str) -> NDArray[np.uint8]:
    picture: Any = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)
