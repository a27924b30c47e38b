"""Cuts things out of one frame: asks the model, writes masks, cut-outs, animation and results (main thread).

The folder gets a binary mask (0 and 255) an object, its cut-out with alpha, `colours.png`, `result.png`, `segment.gif`
and `results.json`.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.everything import GridSpec, segment_everything
from models.onnx_session import Device
from models.prompted_model import PromptedModel, load_prompted_model
from models.prompts import ObjectPrompt
from stream.errors import ConfigError
from stream.frame import Frame
from stream.scenes import SceneGif
from stream.segmenting.moment import frame_at
from stream.segmenting.story import Story, draw_result, hypotheses, in_layers
from stream.sinks.masks import coloured_masks
from stream.sinks.partial_file import PartialFile
from stream.sinks.picture_folder import PictureFolder

GIF_NAME, RESULTS_NAME = "segment.gif", "results.json"
_OURS = re.compile(r"((object-\d+(-mask-\d+)?|mask-\d+)(-cutout)?|colours|result)\.png")

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """What is asked, and where it goes.

    Attributes:
        output: the folder.
        prompts: one an object; empty where `grid` is given.
        grid: how everything is looked for; None where prompts say what.
        at_seconds: after the source's first frame.
        all_masks: every hypothesis of every object, instead of the best.
        device, unverified: as `models.model.load_model` takes them.
        overwrite: whether earlier output may be replaced.
    """

    output: Path
    prompts: Sequence[ObjectPrompt] = ()
    grid: GridSpec | None = None
    at_seconds: float = 0.0
    all_masks: bool = False
    device: Device = "auto"
    unverified: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Raise ConfigError where nothing is asked, or too much."""
        if not self.prompts and self.grid is None:
            raise ConfigError("segment: nothing to look for; give --point, --box, --object, or --everything")
        if self.grid is not None and (self.prompts or self.all_masks):
            extra = "points and boxes" if self.prompts else "--all-masks"
            raise ConfigError(f"--everything: asks a grid of points by itself; leave {extra} out, or it")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What came out.

    Attributes:
        found: the objects, with masks.
        stage_ms: milliseconds in all, by stage: `preprocess`, `encoder`, `decoder`, `postprocess`.
        runs: how often each half of the model ran: `encoder`, `decoder`.
        provider: the ONNX Runtime provider that ran it.
        pixels: how many each mask has.
    """

    found: Detections
    stage_ms: Mapping[str, float]
    runs: Mapping[str, int]
    provider: str
    pixels: Sequence[int]


def segment_source(
    source: str, model: str, options: SegmentOptions, on_progress: OnProgress = lambda _done, _total: None
) -> Segmentation:
    """Cut things out of a picture, or out of one frame of a recording.

    Args:
        source: as `stream.sources.open_source` takes it.
        model: a package of the SAM family, as `models.model.load_model` takes names.
        options: what is asked.
        on_progress: with a grid, told of points done, and of how many.

    Raises:
        MirillaError: source, prompts or model are not as they should be, or the output cannot be written.
    """
    frame = frame_at(source, options.at_seconds)
    for prompt in options.prompts:
        prompt.check_within(frame.size_wh)
    prompted = load_prompted_model(model, device=options.device, unverified=options.unverified)
    name = Path(source).name
    story = Story(frame.image, name, options.prompts, options.grid)
    folder = PictureFolder(str(options.output), str(options.output), _OURS, overwrite=options.overwrite)
    results = PartialFile(str(options.output / RESULTS_NAME), overwrite=options.overwrite)
    gif = SceneGif(options.output / GIF_NAME, overwrite=options.overwrite)
    with ExitStack() as stack:
        folder.open()
        stack.callback(folder.close)
        partial = results.reserve()
        # What was published is no longer partial.
        stack.callback(results.discard)
        stack.enter_context(closing(gif))
        gif.open(name, story.size_wh)
        segmentation = _ask(prompted, frame, options, on_progress)
        _write_pictures(folder, frame.image, segmentation.found, options)
        for picture, ticks in story.scenes(segmentation.found):
            gif.show(picture, ticks)
        record = _record(name, frame, prompted, options, segmentation)
        try:
            partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise results.failure(error) from error
        results.publish()
    return segmentation


def _ask(model: PromptedModel, frame: Frame, options: SegmentOptions, on_progress: OnProgress) -> Segmentation:
    clock = _StageClock()
    embedding = model.embed(frame.image, clock)
    if options.grid is not None:
        found = segment_everything(model, embedding, options.grid, on_progress, clock)
    else:
        found = model.segment(embedding, options.prompts, all_masks=options.all_masks, timer=clock)
    pixels = [int(np.count_nonzero(mask)) for mask in (found.masks if found.masks is not None else ())]
    runs = {"encoder": model.encoder_runs, "decoder": model.decoder_runs}
    return Segmentation(found, dict(clock.stage_ms), runs, model.provider, pixels)


def _write_pictures(
    folder: PictureFolder, image: NDArray[np.uint8], found: Detections, options: SegmentOptions
) -> None:
    guesses = hypotheses(found)
    for rank, guess in enumerate(guesses):
        ending = f"-mask-{rank + 1}" if len(guesses) > 1 else ""
        for name, mask in _named_masks(guess):
            folder.write(f"{name}{ending}", np.where(mask, np.uint8(255), np.uint8(0)))
    for row, (name, mask) in enumerate(_named_masks(guesses[0])):
        if mask.any():
            folder.write(f"{name}-cutout", cut_out(image, mask, guesses[0].boxes_xyxy[row]))
    height, width = image.shape[:2]
    folder.write("colours", coloured_masks([in_layers(guesses[0], options.prompts)], (width, height)))
    picture = image.copy()
    draw_result(picture, guesses[0], options.prompts)
    folder.write("result", picture)


def _named_masks(found: Detections) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    masks = found.masks if found.masks is not None else ()
    for label, mask in zip(found.labels, masks, strict=True):
        yield label.replace(" ", "-"), mask


def cut_out(image: NDArray[np.uint8], mask: NDArray[np.bool_], box_xyxy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An object alone, uint8 (h, w, 4), BGRA, as large as its box; what is not the object is transparent black."""
    left, top, right, bottom = (int(value) for value in box_xyxy)
    part = mask[top:bottom, left:right, None]
    colours = image[top:bottom, left:right] * part
    return np.concatenate([colours, np.where(part, np.uint8(255), np.uint8(0))], axis=2)


def _record(
    name: str, frame: Frame, model: PromptedModel, options: SegmentOptions, made: Segmentation
) -> dict[str, Any]:
    """What `results.json` holds: a results line, with what was asked and what it took."""
    return {
        "source": name,
        "index": frame.index,
        "pts_seconds": round(frame.pts_seconds, 6),
        "prompts": [
            {"points": prompt.points_xy, "negative": prompt.negative_xy, "box": prompt.box_xyxy}
            for prompt in options.prompts
        ],
        "results": {model.name: made.found.to_dict()},
        "models": {model.name: {"provider": made.provider, "package": model.package.origin, "runs": made.runs}},
        "stage_ms": {stage: round(spent, 3) for stage, spent in made.stage_ms.items()},
    }


class _StageClock:
    """A timer that adds up what each stage took, in milliseconds."""

    def __init__(self) -> None:
        self.stage_ms: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start_ns = time.perf_counter_ns()
        try:
            yield
        finally:
            self.stage_ms[stage] += (time.perf_counter_ns() - start_ns) / 1e6
