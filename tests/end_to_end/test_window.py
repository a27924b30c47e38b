"""The window on a real screen: the picture is there, keys are heard, and the run ends well."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.mask import decode

from stream.sources.pattern import read_pattern_index
from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import frame_times
from tests.end_to_end.pages import ROOT
from tests.segmenting.stand_in import ColourDecoder, ColourEncoder, write_stand_in
from tests.stream.pointing.scene import BLUE, iou, truth, write_clip
from tests.stream.pointing.scene import HEIGHT as SCENE_HEIGHT
from tests.stream.pointing.scene import RATE as SCENE_RATE
from tests.stream.pointing.scene import WIDTH as SCENE_WIDTH

PATIENCE_SECONDS = 30
_LOOKS_UNTIL_MAPPED_AGAIN = 10
WIDTH, HEIGHT = 640, 480

Image = NDArray[np.uint8]


def wait_for(what: str, look: Callable[[], Image | str | None]) -> Image | str:
    """Look again and again until there is something to see."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        seen = look()
        if seen is not None and len(seen):
            return seen
        time.sleep(0.05)
    pytest.fail(f"{what}: not seen within {PATIENCE_SECONDS} s")


class Desk:
    """A run with a window on a screen, and the person before it."""

    def __init__(self, display: str, ffmpeg: Path, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._ffmpeg = ffmpeg
        self._environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "DISPLAY": display, "COLUMNS": "200"}
        command = [sys.executable, "-m", "stream", "run", *arguments, "--sink", "window"]
        self.run = subprocess.Popen(
            command, cwd=folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._window = str(wait_for("a window", self._found)).split()[-1]

    def _found(self) -> str:
        assert self.run.poll() is None, self.run.communicate()[0]
        return self._xdotool("search", "--name", "^Mirilla: ")

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def windows(self) -> list[str]:
        return self._found().split()

    def press(self, key: str) -> None:
        self._xdotool("key", "--window", self._window, key)

    def click(self, x: int, y: int) -> None:
        """The left button, at a place in the window."""
        self._xdotool("mousemove", "--window", self._window, str(x), str(y), "click", "1")

    def resize(self, width: int, height: int) -> None:
        self._xdotool("windowsize", "--sync", self._window, str(width), str(height))

    def screenshot(self) -> Image:
        """The whole screen, as ffmpeg grabs it."""
        path = self.folder / "screen.png"
        command = [str(self._ffmpeg), "-v", "error", "-y", "-f", "x11grab", "-video_size", "1280x960"]
        command += ["-i", self._environment["DISPLAY"], "-frames:v", "1", str(path)]
        subprocess.run(command, check=True)
        image = cv2.imread(str(path))
        assert image is not None
        return np.asarray(image, np.uint8)

    def index(self) -> int | None:
        """The number of the frame in the window, read from the screen."""
        return read_pattern_index(self.screenshot()[:HEIGHT, :WIDTH])

    def see(self, what: str, is_seen: Callable[[], object]) -> None:
        """Wait for the first pictures: until something is to be seen."""
        looks = itertools.count(1)

        def seen() -> str | None:
            if is_seen():
                return "seen"
            if next(looks) % _LOOKS_UNTIL_MAPPED_AGAIN == 0:
                # Without a window manager Qt now and then misses that a window has come to light, and paints nothing.
                for window in self.windows():
                    self._xdotool("windowunmap", "--sync", window)
                    self._xdotool("windowmap", "--sync", window)
            return None

        wait_for(what, seen)

    def left(self) -> str:
        """What the run said, once it has ended well."""
        said, _ = self.run.communicate(timeout=PATIENCE_SECONDS)
        assert self.run.returncode == 0, said
        return said


@pytest.fixture
def desk(screen: str, ffmpeg: Path, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """`desk(*arguments)` of `mirilla run`; killed in the end where it still runs."""
    runs = []

    def start(*arguments: str) -> Desk:
        runs.append(Desk(screen, ffmpeg, tmp_path, *arguments))
        return runs[-1]

    yield start
    for made in runs:
        made.run.kill()
        made.run.communicate()


def test_a_person_watches_pauses_saves_records_and_quits(desk: Callable[..., Desk], tmp_path: Path) -> None:
    window = desk("--source", f"pattern:{WIDTH}x{HEIGHT}@25x3000", "--model", "none", "--no-hud")
    window.see("a frame", window.index)
    window.press("r")
    window.press("s")
    wait_for("a saved picture", lambda: " ".join(map(str, tmp_path.glob("out/pattern-*[0-9].png"))))
    window.press("r")
    recorded = wait_for("a recording", lambda: " ".join(map(str, tmp_path.glob("out/pattern-*[0-9].mp4"))))

    window.press("space")
    wait_for("a picture that stands", lambda: "it stands" if window.index() == window.index() else None)
    standing = window.index()
    assert standing is not None
    assert window.index() == standing
    window.press("space")
    wait_for("a later picture", lambda: "later" if (window.index() or 0) > standing else None)

    window.press("question")
    # The bars of the pattern have eight colours.
    wait_for("the help", lambda: "seen" if len(np.unique(window.screenshot()[200:230, 260:380])) > 50 else None)

    window.press("q")
    said = window.left()
    assert str(Path(str(recorded)).relative_to(tmp_path)) in said
    assert frame_times(Path(str(recorded)))[0] == "0.000000"


def is_in(path: Path, text: str) -> Callable[[], str | None]:
    """Whether a text stands in a results file that is being written."""
    return lambda: "seen" if path.exists() and text in path.read_text(encoding="utf-8") else None


def test_keys_change_the_model_while_the_stream_goes_on(desk: Callable[..., Desk], tmp_path: Path) -> None:
    arguments = ("--source", "doodles:640x480", "--realtime", "--model", "quickdraw-32", "--report", "report.json")
    window = desk(*arguments, "--sink", "seen.jsonl")
    wait_for("a guess", is_in(tmp_path / "seen.partial.jsonl", '"quickdraw-32"'))
    window.press("n")
    wait_for("another model's", is_in(tmp_path / "seen.partial.jsonl", '"quickdraw-345"'))
    window.press("q")
    window.left()
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["models"]) == {"quickdraw-32", "quickdraw-345"}
    assert all(report["frames"]["inferred"].values())


def test_a_key_lets_a_class_stand_alone(
    desk: Callable[..., Desk], test_data: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    model = test_data / "weights" / "yolov8n_int8.onnx"
    video, clip = test_data / "video" / "one-by-one-person-detection.mp4", tmp_path / "from-second-9.mp4"
    # Somebody stands there from then on.
    subprocess.run([str(ffmpeg), "-v", "error", "-ss", "9", "-i", str(video), "-c", "copy", str(clip)], check=True)
    arguments = ("--source", str(clip), "--model", str(model), "--classes", "person", "--no-hud")
    window = desk(*arguments, "--sink", "seen.jsonl")

    def edges() -> float:
        """How much detail there is at the left, where nobody is: the edge of a screen on the wall."""
        view = cv2.cvtColor(window.screenshot()[40:160, 20:200], cv2.COLOR_BGR2GRAY)
        return float(cv2.Laplacian(view, cv2.CV_64F).var())

    window.see("a picture", lambda: edges() > 0)
    sharp = edges()
    wait_for("somebody", is_in(tmp_path / "seen.partial.jsonl", '"person"'))
    window.press("i")
    wait_for("a blurred wall", lambda: "seen" if 0 < edges() < sharp / 10 else None)
    window.press("i")
    wait_for("a white wall", lambda: "seen" if edges() == 0 else None)
    window.press("q")
    assert "broke off" not in window.left()


def test_two_streams_have_a_window_each_and_a_key_is_for_both(desk: Callable[..., Desk], tmp_path: Path) -> None:
    sources = [f"pattern:{width}x240@25x3000" for width in (WIDTH, 320)]
    window = desk("--source", sources[0], "--source", sources[1], "--model", "none", "--no-hud")
    wait_for("both windows", lambda: "seen" if len(window.windows()) == 2 else None)
    # The second lies on the first, and leaves its right half free.
    window.see("a frame", lambda: read_pattern_index(window.screenshot()[:240, :320]))
    window.see("the other's", lambda: np.ptp(window.screenshot()[:240, 320:WIDTH]) > 0)
    window.press("s")
    saved = wait_for("a picture of each", lambda: " ".join(map(str, _pair(tmp_path.glob("out/pattern-*.png")))))
    shapes = {np.asarray(cv2.imread(path)).shape for path in str(saved).split()}
    assert shapes == {(240, WIDTH, 3), (240, 320, 3)}
    window.press("q")
    assert window.left().count(": done") == 2


def _pair(paths: Iterable[Path]) -> list[Path]:
    """Two paths, or none while there are not two."""
    found = sorted(paths)
    return found if len(found) == 2 else []


def test_the_window_can_be_resized_and_keeps_the_picture_s_shape(desk: Callable[..., Desk]) -> None:
    window = desk("--source", f"pattern:{WIDTH}x{HEIGHT}@25x3000", "--model", "none", "--no-hud")
    window.see("a frame", window.index)
    window.resize(1280, 960)

    def larger() -> str | None:
        return "seen" if read_pattern_index(window.screenshot()) else None

    wait_for("the picture at twice its size", larger)
    window.press("q")
    assert "broke off" not in window.left()


def test_without_a_display_the_way_out_is_one_line_before_the_first_frame(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "pattern", "--model", "none", "--sink", "window")
    assert result.returncode == 2
    assert result.stderr.strip() == (
        "mirilla: sink: window: there is no display here (DISPLAY is not set), as over ssh; "
        "use --sink web or --sink out.mp4 instead"
    )


def test_what_is_clicked_on_is_cut_out_and_followed(desk: Callable[..., Desk], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "discs.mp4", 900)
    package = write_stand_in(tmp_path / "colours", ColourEncoder(), ColourDecoder(), "colours")
    lines = tmp_path / "seen.jsonl"
    window = desk(
        "--source", str(clip), "--realtime", "--model", str(package), "--no-hud", "--sink", str(lines), "--sink", "null"
    )

    def place_of(colour: tuple[int, int, int]) -> tuple[int, int] | None:
        apart = np.abs(window.screenshot()[:SCENE_HEIGHT, :SCENE_WIDTH].astype(int) - colour).sum(axis=2)
        rows, columns = np.nonzero(apart < 60)
        return (int(np.median(columns)), int(np.median(rows))) if len(rows) > 200 else None

    window.see("a disc", lambda: place_of(BLUE))
    blue = place_of(BLUE)
    assert blue is not None
    window.click(*blue)
    # A contour in the object's own colour is on the screen.
    wait_for("a mask", lambda: "seen" if place_of(BLUE) is None else None)
    time.sleep(5)
    window.press("q")
    window.left()
    seen = [json.loads(line) for line in lines.read_text().splitlines()]
    found = [
        (line["index"], one)
        for line in seen
        for one in line["results"].get("colours", {"detections": []})["detections"]
    ]
    assert found
    shares = [iou(decode(one["mask"]).astype(bool), truth(index, BLUE)) for index, one in found]
    assert np.mean(shares) > 0.7
    assert found[-1][0] - found[0][0] > 4 * SCENE_RATE
    assert {one["label"] for _, one in found} == {"object 1"}
