"""The range that depth colours span holds from frame to frame, and follows the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.model import StageTimer
from models.results import DepthMap
from stream.depth_range import DepthRange
from stream.model_step import ModelStep
from stream.pipeline import Pipeline
from tests.stream.doubles import ScriptedModel, ScriptedSink, ScriptedSource


def between(low: float, high: float) -> DepthMap:
    """A map whose own range is exactly this: of 101 values, two at either end are left out."""
    values = np.full(101, (low + high) / 2, np.float32)
    values[:3], values[-3:] = low, high
    return DepthMap("depth_estimation", values[None], "inverse")


UNKNOWN = DepthMap("depth_estimation", np.full((2, 2), np.nan, np.float32), "inverse")
HALF = 1 - math.exp(-1)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        # The first map's own.
        ([(0.0, between(2, 6))], (2, 6)),
        # A frame later: what a second would bring to 63 %, a 25th brings to 4 %.
        ([(0.0, between(0, 10)), (0.04, between(0, 20))], (0, 10 + 10 * (1 - math.exp(-0.04)))),
        ([(0.0, between(0, 10)), (1.0, between(4, 10))], (4 * HALF, 10)),
        # However many frames a second there are, a second is a second.
        ([(0.0, between(0, 10)), *((k / 50, between(0, 20)) for k in range(1, 51))], (0, 10 + 10 * HALF)),
        # Another scene: at once.
        ([(0.0, between(0, 10)), (0.04, between(50, 90))], (50, 90)),
        ([(0.0, between(0, 1)), (0.04, between(0, 10))], (0, 10)),
        # Nothing known for a while: what was.
        ([(0.0, between(0, 10)), (5.0, UNKNOWN)], (0, 10)),
        # The same moment again, or time that runs backwards.
        ([(1.0, between(0, 10)), (1.0, between(0, 20))], (0, 10)),
        ([(1.0, between(0, 10)), (0.5, between(0, 20))], (0, 10)),
    ],
)
def test_the_range_follows_slowly(moments: Sequence[tuple[float, DepthMap]], expected: tuple[float, float]) -> None:
    follower = DepthRange()
    shown = [follower.update(result, seconds).shown_range for seconds, result in moments]
    assert shown[-1] == pytest.approx(expected)


def test_nothing_ever_known_has_no_range() -> None:
    assert DepthRange().update(UNKNOWN, 0.0).shown_range is None


class DepthModel(ScriptedModel):
    """Answers with one map after the other."""

    def __init__(self, *maps: DepthMap) -> None:
        super().__init__()
        self._maps = iter(maps)

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> DepthMap:
        super().__call__(image, timer)
        return next(self._maps)


def test_a_map_of_a_stream_comes_with_its_range() -> None:
    # 25 frames a second; between two runs of the model the same map is shown.
    sink = ScriptedSink(needs_image=False)
    model = DepthModel(between(0, 10), between(0, 20), between(0, 20))
    pipeline = Pipeline(ScriptedSource(5), [ModelStep(model, every=2)], [sink])
    pipeline.run()
    shown = []
    for result in sink.results:
        found = result.results["scripted"]
        assert isinstance(found, DepthMap)
        assert found.shown_range is not None
        shown.append(round(found.shown_range[1], 3))
    first, second = 10, 10 + 10 * (1 - math.exp(-0.08))
    third = second + (20 - second) * (1 - math.exp(-0.08))
    assert shown == pytest.approx([first, first, second, second, third], abs=1e-3)
    assert pipeline.metrics.report({})["stage_ms"]["steadying"]
