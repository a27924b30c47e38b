"""The page of one's own camera in a real browser, whose camera is a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.end_to_end.fake_camera import SIZE_WH, make_camera
from tests.end_to_end.pages import WAIT_MS, Serve, grabbed, wait_for

PHONE = ViewportSize(width=360, height=740)
SKETCHES = ("--source", "pattern:320x240@15x100000", "--model", "quickdraw-32", "--no-hud")
PUBLISH = """
async () => {
  const [track] = (await navigator.mediaDevices.getUserMedia({ video: true })).getTracks();
  const connection = (window.publishing = new RTCPeerConnection());
  connection.addTransceiver(track, { direction: "sendonly" });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
  const headers = { "Content-Type": "application/sdp" };
  const body = connection.localDescription.sdp;
  const response = await fetch("/whip/whip", { method: "POST", headers, body });
  window.published = response.headers.get("Location");
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
}
"""


@pytest.fixture(scope="module")
def browser(chromium: Path, ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    clip = make_camera(tmp_path_factory.mktemp("camera") / "camera.y4m", ffmpeg)
    switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    switches += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(chromium), args=[*switches, f"--use-file-for-fake-video-capture={clip}"]
        )
        yield started
        started.close()


def begin(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="My camera").click()
    page.get_by_role("button", name="Start camera").click()
    wait_for(page, "live")
    page.wait_for_function("() => document.querySelector('video').videoWidth == 640", timeout=WAIT_MS)


def test_the_camera_comes_back_annotated(serve: Serve, page: Page) -> None:
    server = serve(*SKETCHES)
    begin(page, server.url)
    # The model has an opinion of the circle, and it stands beneath the picture and in it.
    page.wait_for_function("() => document.querySelector('.seen').textContent.length > 3", timeout=WAIT_MS)
    picture = grabbed(page)
    assert picture.shape[:2] == SIZE_WH[::-1]
    # The camera is black and white; brackets and bars are not.
    colourful = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[..., 1] > 100
    assert colourful.sum() > 100
    # A face expects a mirror.
    assert picture[240, 10].mean() > 200
    assert picture[240, -10].mean() < 60
    page.get_by_role("button", name="Mirror").click()
    page.wait_for_function(
        """() => {
          const canvas = new OffscreenCanvas(1, 1).getContext("2d");
          canvas.drawImage(document.querySelector("video"), -10, -240);
          return canvas.getImageData(0, 0, 1, 1).data[0] < 60;
        }""",
        timeout=WAIT_MS,
    )

    # Without a picture of the camera the connection stays, and the camera's light is out.
    page.get_by_role("button", name="Video off").focus()
    page.keyboard.press("Enter")
    wait_for(page, "cameraOff")
    page.get_by_role("button", name="Video on").click()
    wait_for(page, "live")
    page.get_by_label("Picture").select_option("320x240")
    page.wait_for_function("() => document.querySelector('video').videoWidth == 320", timeout=WAIT_MS)
    page.get_by_role("button", name="Stop").click()
    wait_for(page, "stopped")
    assert server.end() == 0


def test_a_browser_publishes_a_stream_that_the_page_waits_for(serve: Serve, page: Page) -> None:
    server = serve("--source", "whip", "--model", "none", "--no-hud")
    page.goto(server.url)
    page.get_by_text("waiting for a publisher").wait_for(timeout=WAIT_MS)
    page.evaluate(PUBLISH)
    wait_for(page, "live")
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0", timeout=WAIT_MS)
    # The sheet is nearly white, below the numbers and above the circle.
    picture = grabbed(page)
    assert picture[picture.shape[0] // 8].mean() == pytest.approx(235, abs=12)
    page.evaluate("() => fetch(window.published, { method: 'DELETE' })")
    page.get_by_text("waiting for a publisher").wait_for(timeout=WAIT_MS)
    assert server.end() == 0


def test_what_is_shown_can_be_kept(serve: Serve, page: Page, tmp_path: Path, ffprobe: Path) -> None:
    begin(page, serve(*SKETCHES).url)
    with page.expect_download() as snapshot:
        page.get_by_role("button", name="Snapshot").click()
    kept = tmp_path / "snapshot.png"
    snapshot.value.save_as(kept)
    picture = cv2.imread(str(kept))
    assert picture is not None
    assert picture.shape[:2] == SIZE_WH[::-1]

    page.get_by_role("button", name="Record").click()
    page.get_by_text("Stop recording (0:02)").wait_for(timeout=WAIT_MS)
    with page.expect_download() as recording:
        page.get_by_role("button", name="Stop recording").click()
    film = tmp_path / recording.value.suggested_filename
    recording.value.save_as(film)
    command = [str(ffprobe), "-v", "error", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"]
    command += ["-show_entries", "stream=width,height,nb_read_frames", str(film)]
    probed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(",")
    assert probed[:2] == ["640", "480"]
    assert int(probed[2]) > 10


def test_a_telephone_in_spanish(serve: Serve, page: Page) -> None:
    server = serve(*SKETCHES)
    page.set_viewport_size(PHONE)
    begin(page, server.url)
    page.get_by_label("Language").select_option("es")
    assert page.get_by_role("button", name="Apagar vídeo").is_visible()
    assert page.get_by_label("Su cámara con lo que ven los modelos").count() == 1
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    heights = page.locator("button, select, nav a").evaluate_all(
        "elements => elements.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


def test_a_browser_that_gives_no_camera_says_why(serve: Serve, page: Page) -> None:
    server = serve(*SKETCHES)
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page.goto(f"{server.url}camera")
    page.get_by_role("button", name="Start camera").click()
    page.get_by_text("was not allowed to use the camera").wait_for(timeout=WAIT_MS)
    assert page.locator("main").get_attribute("data-state") == "stopped"
