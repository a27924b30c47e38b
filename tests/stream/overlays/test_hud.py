"""The HUD: truthful words for what was measured, in a strip that stays calm and inside the picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.overlays.hud import HudReading, draw_hud, hud_cells, short_provider
from stream.overlays.layout import Layout
from stream.overlays.theme import WARNING

DASH = "\N{EN DASH}"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
FULL = HudReading(1280, 720, 30.0, {"sketch": 29.94}, 29.96, 12.4, 18.6, 0, {"sketch": CPU})


def _drawn(reading: HudReading, width: int = 1280, height: int = 720) -> NDArray[np.uint8]:
    canvas = np.full((height, width, 3), 255, np.uint8)
    draw_hud(canvas, reading, Layout(width, height))
    return canvas


def _box(canvas: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not white; right and bottom exclusive."""
    mask = (canvas != 255).any(axis=2)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        # everything is known
        (
            FULL,
            {
                "source": "30.0 fps",
                "sketch": "29.9 fps  CPU",
                "output": "30.0 fps",
                "latency p50 / p95": "12 / 19 ms",
                "dropped": "0",
                "picture": "1280\N{MULTIPLICATION SIGN}720",
            },
        ),
        # the first frame: nothing is known yet, and nothing is claimed
        (
            HudReading(640, 360, providers={"sketch": CPU}),
            {
                "source": f"{DASH} fps",
                "sketch": f"{DASH} fps  CPU",
                "output": f"{DASH} fps",
                "latency p50 / p95": f"{DASH} / {DASH} ms",
                "dropped": "0",
                "picture": "640\N{MULTIPLICATION SIGN}360",
            },
        ),
        # a model that is pointed at: its halves apart
        (
            HudReading(640, 360, encoder_ms=1460.4, decoder_ms=20.5),
            {
                "source": f"{DASH} fps",
                "encoder / decoder": "1460 / 20 ms",
                "output": f"{DASH} fps",
                "latency p50 / p95": f"{DASH} / {DASH} ms",
                "dropped": "0",
                "picture": "640\N{MULTIPLICATION SIGN}360",
            },
        ),
        # two models, one of them on the GPU; a slow live source that drops
        (
            HudReading(2, 1, 0.04, {"a": 5.0, "b": 120.25}, 0.0, 1500.0, None, 12345, {"b": CUDA}),
            {
                "source": "0.0 fps",
                "a": "5.0 fps",
                "b": "120.2 fps  CUDA",
                "output": "0.0 fps",
                "latency p50 / p95": f"1500 / {DASH} ms",
                "dropped": "12345",
                "picture": "2\N{MULTIPLICATION SIGN}1",
            },
        ),
        # a camera that has stalled, and results that were carried to the picture
        (
            HudReading(2, 1, 0.0, {"a": 5.0}, 0.0, 15.0, 20.0, 0, {}, 212.4, 4.6, "reconnecting"),
            {
                "source": "stale 5 s, reconnecting",
                "a": "5.0 fps",
                "output": "0.0 fps",
                "latency p50 / p95": "15 / 20 ms",
                "result age": "212 ms",
                "dropped": "0",
                "picture": "2\N{MULTIPLICATION SIGN}1",
            },
        ),
    ],
)
def test_figures(reading: HudReading, expected: dict[str, str]) -> None:
    assert {cell.caption: cell.value for cell in hud_cells(reading)} == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [(CPU, "CPU"), (CUDA, "CUDA"), ("TensorrtExecutionProvider", "Tensorrt"), ("CPU", "CPU")],
)
def test_providers_are_named_shortly(name: str, expected: str) -> None:
    assert short_provider(name) == expected


def test_the_strip_does_not_twitch_while_figures_change() -> None:
    slow = dataclasses.replace(
        FULL, source_fps=9.9, inference_fps={"sketch": 1.1}, output_fps=None, latency_p50_ms=None
    )
    fast = dataclasses.replace(FULL, source_fps=120.3, inference_fps={"sketch": 777.7}, output_fps=99.9, dropped=999)
    assert _box(_drawn(slow)) == _box(_drawn(fast)) == _box(_drawn(FULL))


def test_dropped_frames_stand_out() -> None:
    def warns(dropped: int) -> bool:
        canvas = _drawn(dataclasses.replace(FULL, dropped=dropped))
        return bool((canvas == np.array(WARNING, np.uint8)).all(axis=2).any())

    assert warns(1)
    assert not warns(0)


def test_the_strip_lies_at_the_bottom_left() -> None:
    left, top, right, bottom = _box(_drawn(FULL))
    margin = Layout(1280, 720).sizes.margin
    assert (left, bottom) == (margin, 720 - margin)
    assert top > 0.88 * 720
    assert right < 0.7 * 1280


def test_a_narrow_picture_takes_two_rows() -> None:
    # Both have text of the same size.
    one, two = _box(_drawn(FULL, 640, 360)), _box(_drawn(FULL, 405, 720))
    assert two[3] - two[1] > 1.6 * (one[3] - one[1])
    assert two[2] < 405


@pytest.mark.parametrize(
    ("width", "height"), [(320, 240), (640, 360), (720, 1280), (3840, 2160), (1000, 150), (240, 2000)]
)
@pytest.mark.parametrize("models", [0, 1, 2, 7])
def test_the_strip_stays_inside(width: int, height: int, models: int) -> None:
    names = [f"model-with-a-long-name-{number}" * 3 for number in range(models)]
    reading = dataclasses.replace(FULL, inference_fps=dict.fromkeys(names, 10.0), providers=dict.fromkeys(names, CPU))
    left, top, right, bottom = _box(_drawn(reading, width, height))
    assert left > 0
    assert top >= height * 0.6
    assert right < width
    assert bottom < height


@pytest.mark.parametrize(("width", "height"), [(1, 1), (16, 16), (64, 48), (40, 2000)])
def test_a_picture_too_small_is_left_alone(width: int, height: int) -> None:
    assert (_drawn(FULL, width, height) == 255).all()
