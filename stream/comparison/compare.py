"""Compares models: each runs alone over all frames in the frame loop, then both pictures are drawn side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.class_matching import ClassMatching, match_classes
from models.evaluation.coco_annotations import read_coco_objects
from models.model import Model, load_model
from models.onnx_session import Device
from models.package import find_package
from stream.capture_stage import Limits
from stream.comparison.material import Material, gather_material
from stream.comparison.recording import Recording, record
from stream.comparison.rows import LEAST_OVERLAP, ComparisonRow, Truth, comparison_rows
from stream.comparison.side_by_side import Half, SideBySide, side_by_side_wh
from stream.comparison.tables import WRITERS
from stream.emphasis_choice import TASKS_WITH_BOXES
from stream.errors import ConfigError
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.model_chains import POSES
from stream.sinks import make_sink
from stream.sinks.partial_file import PartialFile

OnProgress = Callable[[str, int, int | None], None]
"""Called with what is being done, how many frames are done, and of how many."""


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """How to compare.

    Attributes:
        output: the folder that gets tables and pictures.
        data: COCO annotations of the pictures; None compares the models with one another.
        threshold: the least score of a result; None leaves it to each model's task.
        device, threads, unverified: as `models.model.load_model` takes them.
        texts: what zero-shot classifiers tell apart; other models have classes of their own.
        frames: at most so many of each source.
        overwrite: whether earlier output may be replaced.
    """

    output: Path
    data: Path | None = None
    threshold: float | None = None
    device: Device = "auto"
    threads: int | None = None
    unverified: bool = False
    texts: tuple[str, ...] | None = None
    frames: int | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out: the rows, the files that were made, and what people should know of the classes compared."""

    rows: Sequence[ComparisonRow]
    paths: Sequence[Path]
    notes: Sequence[str]


def compare_models(
    specs: Sequence[str],
    sources: Sequence[str],
    options: ComparisonOptions,
    on_progress: OnProgress = lambda _what, _done, _total: None,
) -> Comparison:
    """Run models over the same frames, and write tables and side-by-side pictures.

    Args:
        specs: at least two models, as `models.model.load_model` takes them.
        sources: clips, pictures and folders of pictures.
        options: how.
        on_progress: told of every frame or so.

    Raises:
        MirillaError: a model, a source or the annotations are not as they should be, or a file cannot be written.
    """
    if len(specs) < 2:
        raise ConfigError("compare: there is one model; name two or more")
    # All that can be wrong with the input is looked at before the first frame.
    material = gather_material(sources)
    truth = None if options.data is None else Truth(*read_coco_objects(options.data))
    models = _load(specs, options)
    matchings = _matched(models, material, truth, options)
    tables = {PartialFile(str(options.output / name), overwrite=options.overwrite): name for name in WRITERS}
    try:
        partials = [table.reserve() for table in tables]
        rows: list[ComparisonRow] = []
        paths: list[Path] = []
        for one in material:
            recordings = _record(models, one, options, on_progress)
            rows += comparison_rows(one, models, recordings, truth, matchings)
            paths += _draw(models, one, recordings, options, on_progress)
        notes = _notes(models, matchings)
        settings = _settings(options, models) | ({"notes": ". ".join(notes)} if notes else {})
        for (table, name), partial in zip(tables.items(), partials, strict=True):
            try:
                partial.write_text(WRITERS[name](rows, settings), encoding="utf-8")
            except OSError as error:
                raise table.failure(error) from error
            table.publish()
    finally:
        # What was published is no longer partial.
        for table in tables:
            table.discard()
    return Comparison(rows, [table.final for table in tables] + paths, notes)


def _load(specs: Sequence[str], options: ComparisonOptions) -> list[Model]:
    takes_texts = [find_package(spec, unverified=options.unverified).manifest.texts is not None for spec in specs]
    if options.texts is not None and not any(takes_texts):
        raise ConfigError("texts: all models have classes of their own; leave texts out")
    models = [
        load_model(
            spec,
            device=options.device,
            threads=options.threads,
            threshold=options.threshold,
            unverified=options.unverified,
            texts=options.texts if takes else None,
        )
        for spec, takes in zip(specs, takes_texts, strict=True)
    ]
    for model in models:
        if model.manifest.task == POSES:
            raise ConfigError(f"compare: {model.name}: poses cannot be compared yet; give other models")
    counts = Counter(model.name for model in models)
    for model, spec in zip(models, specs, strict=True):
        if counts[model.name] > 1:
            # Two exports of one network are told apart by where they lie.
            model.name = spec
    if len({model.name for model in models}) < len(models):
        raise ConfigError(f"compare: {', '.join(specs)}: a model is named twice; name each once")
    return models


def _matched(
    models: Sequence[Model], material: Sequence[Material], truth: Truth | None, options: ComparisonOptions
) -> list[ClassMatching | None]:
    """For each model the classes that it shares with the annotations; None where it finds no objects to compare."""
    if truth is None:
        return [None] * len(models)
    if not any(name in truth.objects for one in material for name in one.pictures or ()):
        raise ConfigError(f"data: {options.data} names no picture of the sources; leave it out, or give its pictures")
    return [
        match_classes(model.manifest.class_names, truth.category_names)
        if model.manifest.task in TASKS_WITH_BOXES
        else None
        for model in models
    ]


def _record(
    models: Sequence[Model], material: Material, options: ComparisonOptions, on_progress: OnProgress
) -> list[Recording]:
    limits = Limits(frames=options.frames)
    recordings = []
    for model in models:
        what = f"{model.name} on {material.name}"

        def show(done: int, total: int | None, what: str = what) -> None:
            on_progress(what, done, total)

        recordings.append(record(model, material, limits, show))
    return recordings


def _draw(
    models: Sequence[Model],
    material: Material,
    recordings: Sequence[Recording],
    options: ComparisonOptions,
    on_progress: OnProgress,
) -> list[Path]:
    """A video of a clip, or a picture a picture; what was made."""
    count = len(recordings[0].frames)
    names = [model.name for model in models]
    with material.open() as source:
        drawn = _composed(islice(source, count), names, recordings)
        shown = _counted(drawn, lambda done: on_progress(f"{material.name} side by side", done, count))
        if material.pictures is None:
            info = replace(source.info, audio=None)
            return _write_video(options.output / f"{Path(material.name).stem}.mp4", info, len(models), shown, options)
        return _write_pictures(options.output / material.name, material.pictures, shown, options)


def _composed(
    frames: Iterable[Frame], names: Sequence[str], recordings: Sequence[Recording]
) -> Iterator[tuple[Frame, NDArray[np.uint8]]]:
    composer = SideBySide()
    for index, frame in enumerate(frames):
        said = [recording.frames[index] for recording in recordings]
        halves = [Half(name, one.result, one.inference_ms) for name, one in zip(names, said, strict=True)]
        yield frame, composer.compose(frame.image, halves)


def _counted(
    drawn: Iterable[tuple[Frame, NDArray[np.uint8]]], on_count: Callable[[int], None]
) -> Iterator[tuple[Frame, NDArray[np.uint8]]]:
    for number, one in enumerate(drawn, 1):
        yield one
        on_count(number)


def _write_video(
    path: Path,
    info: SourceInfo,
    model_count: int,
    drawn: Iterable[tuple[Frame, NDArray[np.uint8]]],
    options: ComparisonOptions,
) -> list[Path]:
    width, height = side_by_side_wh((info.width, info.height), model_count)
    sink = make_sink(str(path), overwrite=options.overwrite)
    with closing(sink):
        sink.open(replace(info, width=width, height=height))
        for frame, picture in drawn:
            sink.write(picture, FrameResult(frame))
    return [Path(made) for made in sink.paths()]


def _write_pictures(
    folder: Path,
    names: Sequence[str],
    drawn: Iterable[tuple[Frame, NDArray[np.uint8]]],
    options: ComparisonOptions,
) -> list[Path]:
    for frame, picture in drawn:
        file = PartialFile(str(folder / f"{Path(names[frame.index]).stem}.png"), overwrite=options.overwrite)
        partial = file.reserve()
        _, encoded = cv2.imencode(".png", picture)
        try:
            partial.write_bytes(encoded.tobytes())
            file.publish()
        except OSError as error:
            raise file.failure(error) from error
    return [folder]


def _notes(models: Sequence[Model], matchings: Sequence[ClassMatching | None]) -> list[str]:
    pairs = zip(models, matchings, strict=True)
    return [f"{model.name}: {note}" for model, matching in pairs if matching for note in matching.notes()]


def _settings(options: ComparisonOptions, models: Sequence[Model]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "device": ", ".join(sorted({model.provider.removesuffix("ExecutionProvider") for model in models})),
        "least score": ", ".join(f"{model.filter.threshold:g}" for model in models),
        "least overlap": LEAST_OVERLAP,
    }
    if options.data is not None:
        settings["annotations"] = options.data.name
    return settings
