"""A PyTorch checkpoint becomes a model package: exported by Optimum, compared with PyTorch, described by its manifest.

Called by `mirilla export` and after `mirilla train`. A package that fails its parity check is left, marked as failed.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from optimum.exporters.onnx import export

from exporters.checkpoint import Checkpoint, first_line, open_checkpoint
from exporters.errors import ExportError, ParityError
from exporters.graphs import Graph, graphs_of
from exporters.parity import Gate, ParityLog
from exporters.parity_inputs import calibration_inputs, drawings, gate_pictures, plain_pictures
from exporters.picture_work import worthwhile_threads
from exporters.precision import PRECISION_GATES, convert
from exporters.verify import verify, verify_again
from exporters.write_manifest import copy_papers, describe, read_training_record
from models.manifest import (
    MODEL_NAME,
    TOKENIZER_NAME,
    Manifest,
    Precision,
    SourceSpec,
    file_sha256,
    write_manifest,
)
from models.networks.sketch_cnn import label_settings
from models.onnx_session import OnnxSession

_SIDE_MULTIPLE = 32
# Detectors that keep the best of many queries: which is which in a row of near-equals is chance.
_RANKING = {"rt_detr", "rt_detr_v2", "d_fine"}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a checkpoint is exported.

    Attributes:
        name: the package's; None takes the output folder's.
        task: as the hub calls it; None takes what the checkpoint was trained for.
        size_hw: the only size that the graph takes; None takes the processor's, and leaves free what is proven free.
        size_scale: of the processor's own size; below 1 it is fixed at that share of it.
        batch: the only batch that the graph takes; None leaves it free, or takes the task's own.
        opset: ONNX operator set.
        precision: of the weights and of the arithmetic.
        calibration: pictures uint8 (H, W, 3) RGB, or for a sketch network drawings (side, side), that set the ranges
            of a static int8 model; empty makes it dynamic.
        labels: class names instead of the checkpoint's; for zero-shot classifiers, the texts.
        tolerance: the largest relative difference of an output from PyTorch's that passes; None takes the precision's.
        min_agreement: the least share of decoded results that are alike; None takes the precision's.
        overwrite: replace a package that is there already.
        source: where the checkpoint came from, for the manifest; None names the package.
    """

    name: str | None = None
    task: str | None = None
    size_hw: tuple[int, int] | None = None
    size_scale: float = 1.0
    batch: int | None = None
    opset: int = 18
    precision: Precision = "fp32"
    calibration: Sequence[NDArray[np.uint8]] = field(default=(), repr=False)
    labels: tuple[str, ...] | None = None
    tolerance: float | None = None
    min_agreement: float | None = None
    overwrite: bool = False
    source: SourceSpec | None = None


def export_package(
    checkpoint: Path,
    output: Path,
    options: ExportOptions | None = None,
    on_step: Callable[[str], None] = lambda step: None,  # noqa: ARG005 - a listener that does not listen
) -> Path:
    """Export a checkpoint folder and return the package folder.

    Args:
        checkpoint: a transformers folder, or one in the course notes' layout.
        output: the package folder; appears when it is whole.
        options: None takes the defaults.
        on_step: told in a few words what is done next.

    Raises:
        ExportError: the checkpoint cannot be read or exported, or the output exists.
        ParityError: the package was made, and marked as failed.
    """
    options = options or ExportOptions()
    check_output(output, overwrite=options.overwrite)
    on_step("reading the checkpoint")
    opened, options = _open(checkpoint, options)
    texts = _take_labels(opened, options.labels)
    name = options.name or output.name
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        manifest, complaints = _build(opened, partial, options, texts, on_step)
        manifest = manifest.model_copy(update={"name": name, "source": _source(options, opened, name)})
        write_manifest(manifest, partial)
        shutil.rmtree(output, ignore_errors=True)
        partial.replace(output)
    except OSError as error:
        raise ExportError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if complaints:
        raise ParityError(
            f"{output}: ONNX and PyTorch differ: {'; '.join(complaints)}; the package is marked as failed"
        )
    return output


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise ExportError where a package would take the place of something that may not be replaced."""
    if output.exists() and not overwrite:
        raise ExportError(f"{output} exists already; give another --output, or --overwrite")


def _build(
    checkpoint: Checkpoint,
    folder: Path,
    options: ExportOptions,
    texts: tuple[str, ...] | None,
    on_step: Callable[[str], None],
) -> tuple[Manifest, list[str]]:
    """Make every file of the package but the manifest; return it, and what the comparison complains of."""
    pictures = pictures_for(checkpoint)
    size_hw = (pictures.shape[2], pictures.shape[3])
    graphs = graphs_of(checkpoint, texts)
    agreement = checkpoint.task.agreement
    log = ParityLog(gate_for(checkpoint, "fp32", options), len(pictures))
    on_step("exporting through Optimum")
    for graph in graphs:
        _export_graph(graph, folder / graph.file_name, options.opset, size_hw)
    on_step("comparing ONNX Runtime with PyTorch")
    for graph in graphs:
        path = folder / graph.file_name
        verify(graph, path, pictures, agreement, log, batch=options.batch, fixed_size=options.size_hw is not None)
    if options.precision != "fp32" and not log.complaints:
        on_step(f"converting to {options.precision}, and comparing again")
        log = ParityLog(gate_for(checkpoint, options.precision, options), len(pictures))
        calibration = calibration_inputs(checkpoint, options.calibration)
        for graph in graphs:
            path = folder / graph.file_name
            convert(path, options.precision, calibration if graph is graphs[0] else ())
            verify_again(graph, path, pictures, agreement, log, batch=options.batch)
    copy_papers(checkpoint, folder)
    manifest = describe(checkpoint, folder, size_hw, texts)
    record = read_training_record(checkpoint.folder)
    measured = {
        "opset": options.opset,
        "precision": options.precision,
        "sha256": file_sha256(folder / MODEL_NAME),
        "further_files": {name: file_sha256(folder / name) for name in _further_files(graphs, manifest)},
        "parity": log.spec(),
        "accuracy": record.accuracy,
        "threads": _threads(graphs[0], folder, pictures[:1]),
        "trained_with": record.command,
    }
    return manifest.model_copy(update=measured), log.complaints


def _further_files(graphs: Sequence[Graph], manifest: Manifest) -> list[str]:
    """The names of what the model runs with besides its graph."""
    return [graph.file_name for graph in graphs[1:]] + ([TOKENIZER_NAME] if manifest.texts is not None else [])


def _threads(graph: Graph, folder: Path, picture: NDArray[np.float32]) -> int | None:
    """How many threads the package is run with, for what the graph has to do for one picture."""
    session = OnnxSession(folder / graph.file_name, device="cpu", graph_optimization="disabled")
    feed = graph.feeds(picture, session)
    return worthwhile_threads(graph.module, lambda: graph.reference(feed))


def _open(checkpoint: Path, options: ExportOptions) -> tuple[Checkpoint, ExportOptions]:
    """The checkpoint, and the options with the task's own batch and the size that a scale amounts to."""
    opened = open_checkpoint(checkpoint, options.task, options.size_hw)
    if options.batch is None:
        options = replace(options, batch=opened.task.batch)
    if options.size_scale == 1.0:
        return opened, options
    height, width = pictures_for(opened).shape[2:]
    scaled = [
        max(_SIDE_MULTIPLE, round(side * options.size_scale / _SIDE_MULTIPLE) * _SIDE_MULTIPLE)
        for side in (height, width)
    ]
    options = replace(options, size_hw=(scaled[0], scaled[1]))
    return open_checkpoint(checkpoint, options.task, options.size_hw), options


def gate_for(checkpoint: Checkpoint, precision: Precision, options: ExportOptions) -> Gate:
    """What a checkpoint has to hold in a precision; what the user gives stands in for the usual."""
    gate = PRECISION_GATES[precision]
    if checkpoint.model.config.model_type in _RANKING:
        gate = replace(gate, unordered=("logits", "pred_boxes"), rows=0.95)
    if options.tolerance is not None:
        gate = replace(gate, tolerance=options.tolerance)
    if options.min_agreement is not None and precision == options.precision:
        gate = replace(gate, agreement=options.min_agreement)
    return gate


def _source(options: ExportOptions, checkpoint: Checkpoint, name: str) -> SourceSpec:
    record = read_training_record(checkpoint.folder)
    if options.source is not None:
        return options.source
    return SourceSpec(id=f"mirilla/{name}", licence=record.licence, attribution=record.attribution)


def pictures_for(checkpoint: Checkpoint) -> NDArray[np.float32]:
    """What a checkpoint is compared on: float32 (N, C, H, W), N at least 4, as its own processor makes them."""
    if checkpoint.is_sketch:
        return drawings(checkpoint.model.config.image_size)
    if checkpoint.processor is None:
        side = checkpoint.model.config.image_size
        return plain_pictures(side, side)
    return gate_pictures(checkpoint.processor)


def _take_labels(checkpoint: Checkpoint, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Give the checkpoint its new class names; return those that are the texts of a zero-shot classifier."""
    if labels is None:
        return None
    config = checkpoint.model.config
    if checkpoint.task.name == "zero-shot-image-classification":
        return labels
    if len(labels) != config.num_labels:
        raise ExportError(
            f"--labels: {len(labels)} names for a checkpoint with {config.num_labels} classes; give as many"
        )
    config.update(label_settings(labels))
    return None


def _export_graph(graph: Graph, path: Path, opset: int, size_hw: tuple[int, int]) -> None:
    shapes = {"height": size_hw[0], "width": size_hw[1]}
    try:
        with warnings.catch_warnings():
            # Torch announces its next exporter on every call; Optimum 0.1 still goes through this one.
            warnings.simplefilter("ignore")
            export(graph.module, graph.config, path, opset=opset, input_shapes=shapes)
    except OSError:
        raise
    except Exception as error:  # torch's and Optimum's exporters raise whatever the operator at fault raises
        kind = graph.module.config.model_type
        raise ExportError(f"{kind}: Optimum cannot export it with opset {opset}: {first_line(error)}") from error
