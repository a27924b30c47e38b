"""What of a stream may be exchanged while it runs: all but its source. Handed to `Pipeline.change`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.model_step import Step
from stream.overlays.background import Background
from stream.overlays.emphasis import Emphasis
from stream.picture_timing import Timing
from stream.sinks.sink import Sink


@dataclass(frozen=True, slots=True)
class Look:
    """What is drawn besides results.

    Attributes:
        hud: the run's figures.
        watermark: the time of capture: see `stream.watermark`.
        emphasis: the label that stands alone in the picture, or before all others; None where none does.
        background: what comes behind people; None leaves what is there.
    """

    hud: bool = True
    watermark: bool = False
    emphasis: Emphasis | None = None
    background: Background | None = None


@dataclass(frozen=True, slots=True)
class LiveParts:
    """One stream's.

    Attributes:
        steps: the models, in the order in which they run; a step that stays keeps what it knows.
        sinks: where pictures go; one that stays goes on, one that is new is opened, one that is missing is closed.
        look: what is drawn besides results.
        timing: whether pictures wait for the models; heeded only while frames come by the clock.
        max_age_ms: a frame that is older when the models could take it is dropped; None drops none.
    """

    steps: Sequence[Step]
    sinks: Sequence[Sink]
    look: Look = Look()
    timing: Timing = "auto"
    max_age_ms: float | None = None
