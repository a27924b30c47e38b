"""Finds the fastest form of a model on this machine that still says what PyTorch says: `mirilla export --tune CLIP`.

Nothing is assumed: eight bits have been slower than fp32 on CPUs without the instructions for them. Every variant is a
whole package, measured by the runtime's own model on the user's own pictures.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.checkpoint import Checkpoint, open_checkpoint
from exporters.errors import ExportError, ParityError
from exporters.export import ExportOptions, check_output, export_package
from exporters.graphs import graphs_of
from exporters.result_agreement import agreement_of
from exporters.zero_shot import PROBES
from models.errors import ModelError
from models.manifest import Manifest, read_manifest, write_manifest
from models.model import load_model
from models.onnx_session import GraphOptimization
from models.results import Result
from models.tasks import task_kinds

MIN_AGREEMENT = 0.95
_ROUNDS = 3
_SMALLER = 0.75
_CALIBRATED_ON = 16

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Trial:
    """One variant, measured.

    Attributes:
        name: for the table.
        package: its folder.
        threads: within an operator; None leaves it to ONNX Runtime.
        level: how far ONNX Runtime rewrote the graph.
        milliseconds: a picture, the fastest of three rounds over the clip.
        agreement: share of results that are those of fp32 PyTorch, 0..1.
    """

    name: str
    package: Path
    threads: int | None
    level: GraphOptimization
    milliseconds: float
    agreement: float


def tune(
    checkpoint: Path,
    output: Path,
    options: ExportOptions,
    clip: Sequence[Picture],
    say: Callable[[str], None],
    *,
    now: Callable[[], float] = time.perf_counter,
) -> Path:
    """Export the variants that make sense, measure them on the clip, print a table, and keep the fastest that agrees.

    Args:
        checkpoint: its folder.
        output: of the package that is kept.
        options: of the export; `min_agreement` None asks for 0.95.
        clip: pictures uint8 (H, W, 3), BGR.
        say: told each step and each row, a line each.
        now: seconds.

    Raises:
        ExportError: the output exists, the task has no runtime, or no variant agrees.
    """
    check_output(output, overwrite=options.overwrite)
    opened = open_checkpoint(checkpoint, options.task, options.size_hw)
    _check_that_it_runs(opened, options)
    least = MIN_AGREEMENT if options.min_agreement is None else options.min_agreement
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".tune-") as folder:
        trials: list[Trial] = []
        wanted: list[Result] = []
        for name, variant in _variants(options, clip, resizable=opened.processor is not None):
            say(f"trying {name} ...")
            package = Path(folder) / name.replace(" ", "-")
            try:
                export_package(checkpoint, package, variant)
                wanted = wanted or _torch_results(opened, package, options, clip)
                trials += list(_measured(name, package, clip, wanted, now))
            except ParityError:
                say(f"{name}: differs from PyTorch, left out")
            except (ExportError, ModelError) as error:
                if not trials:
                    raise
                say(f"{name}: {error}")
        for line in table(trials, least):
            say(line)
        kept = _keep(trials, least)
        _settle(kept, output, options.name or output.name)
    say(f"kept: {kept.name}, {_threads(kept)}, graph level {kept.level}")
    return output


def table(trials: Sequence[Trial], least: float) -> Iterator[str]:
    """A line a trial, the fastest first; what agrees too little is marked."""
    width = max((len(trial.name) for trial in trials), default=0)
    yield f"{'variant':{width}}  {'threads':>7}  {'graph':>8}  {'ms':>8}  {'agreement':>9}"
    for trial in sorted(trials, key=lambda trial: trial.milliseconds):
        mark = "" if trial.agreement >= least else "  too little"
        measured = f"{trial.milliseconds:8.2f}  {trial.agreement:9.3f}{mark}"
        yield f"{trial.name:{width}}  {trial.threads or 'auto':>7}  {trial.level:>8}  {measured}"


def _variants(
    options: ExportOptions, clip: Sequence[Picture], *, resizable: bool
) -> Iterator[tuple[str, ExportOptions]]:
    """Names and options: fp32 first, which all others are compared by. Networks of ours have one size."""
    # What does not agree is left out below, by the user's own measure: the export itself lets it pass.
    loose = replace(options, calibration=(), min_agreement=0.0, overwrite=True)
    pictures = [np.ascontiguousarray(picture[..., ::-1]) for picture in clip[:_CALIBRATED_ON]]
    yield "fp32", replace(loose, precision="fp32", min_agreement=None)
    yield "fp16", replace(loose, precision="fp16")
    yield "int8 dynamic", replace(loose, precision="int8")
    yield "int8 static", replace(loose, precision="int8", calibration=pictures)
    if options.size_hw is None and resizable:
        yield "fp32 smaller", replace(loose, precision="fp32", min_agreement=None, size_scale=_SMALLER)


def _measured(
    name: str, package: Path, clip: Sequence[Picture], wanted: Sequence[Result], now: Callable[[], float]
) -> Iterator[Trial]:
    """A variant as ONNX Runtime runs it: by itself, on one thread, on half the cores, with plainer rewriting."""
    settings: list[tuple[int | None, GraphOptimization]] = [(None, "all"), (1, "all"), (None, "extended")]
    cores = os.cpu_count() or 1
    if cores > 2:
        settings.append((cores // 2, "all"))
    if read_manifest(package).threads == 1:
        # More are not worth it, whatever they win here where nothing runs beside.
        settings = [(1, "all"), (1, "extended")]
    for threads, level in settings:
        model = load_model(package, device="cpu", threads=threads, graph_optimization=level, texts=_texts(package))
        rounds = []
        results: list[Result] = []
        for _ in range(_ROUNDS):
            started = now()
            results = [model(picture) for picture in clip]
            rounds.append(now() - started)
        agreement = float(np.mean([agreement_of(*pair) for pair in zip(wanted, results, strict=True)]))
        yield Trial(name, package, threads, level, 1000 * min(rounds) / len(clip), agreement)


def _check_that_it_runs(checkpoint: Checkpoint, options: ExportOptions) -> None:
    """Raise ExportError where Mirilla has no runtime for what the checkpoint is asked: nothing could be timed."""
    answers = None if options.labels else checkpoint.task.runtime
    known = {(kind.name, decoder) for kind in task_kinds() for decoder in kind.decoders}
    if answers is not None and answers not in known:
        raise ExportError(
            f"--tune: mirilla run has no models for {checkpoint.task.name}, so there is nothing to time; "
            "export without --tune"
        )


def _torch_results(
    checkpoint: Checkpoint, package: Path, options: ExportOptions, clip: Sequence[Picture]
) -> list[Result]:
    """What fp32 PyTorch says of each picture, decoded by the runtime's own task."""
    model = load_model(package, device="cpu", texts=_texts(package))
    network = graphs_of(checkpoint, options.labels)[0]
    results = []
    for picture in clip:
        tensor, geometry = model.task.preprocess(picture)
        outputs = network.reference({model.manifest.input.name: tensor})
        results.append(model.task.postprocess(outputs, geometry).filtered(model.filter))
    return results


def _texts(package: Path) -> Sequence[str] | None:
    """What a classifier is asked whose texts nobody has given yet; None for models with classes of their own."""
    return None if read_manifest(package).texts is None else PROBES


def _keep(trials: Sequence[Trial], least: float) -> Trial:
    agreeing = [trial for trial in trials if trial.agreement >= least]
    if not agreeing:
        best = max((trial.agreement for trial in trials), default=0.0)
        raise ExportError(f"--min-agreement: no variant reaches {least:g}, the best has {best:.3f}; give less")
    return min(agreeing, key=lambda trial: trial.milliseconds)


def _settle(kept: Trial, output: Path, name: str) -> None:
    manifest = read_manifest(kept.package)
    settled: Manifest = manifest.model_copy(
        update={"name": name, "threads": kept.threads, "graph_optimization": kept.level}
    )
    write_manifest(settled, kept.package)
    shutil.rmtree(output, ignore_errors=True)
    kept.package.replace(output)


def _threads(trial: Trial) -> str:
    return "as many threads as ONNX Runtime likes" if trial.threads is None else f"{trial.threads} thread(s)"
