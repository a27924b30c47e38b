"""The parity gate over one graph: every batch size, and a second picture size where both sides take one.

A graph claims only what was seen to hold: an axis that is not proven free is fixed in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from exporters.agreement import Agreement
from exporters.checkpoint import first_line
from exporters.errors import ExportError
from exporters.graphs import Graph
from exporters.parity import ParityLog, compare
from exporters.parity_inputs import noise_like, second_size
from models.onnx_session import OnnxSession

BATCH_SIZES = (1, 2, 8)
_PIXELS = "pixel_values"


def verify(
    graph: Graph,
    path: Path,
    pictures: NDArray[np.float32],
    agreement: Agreement,
    log: ParityLog,
    *,
    batch: int | None = None,
    fixed_size: bool = False,
) -> None:
    """Compare a freshly exported graph with PyTorch, and fix its axes that are not free.

    Args:
        graph: what was exported.
        path: the file; rewritten where an axis is fixed.
        pictures: float32 (N, C, H, W).
        agreement: what of the decoded outputs has to be alike.
        log: takes what is found.
        batch: the only batch size that the graph is for; None tries 1, 2 and 8.
        fixed_size: the graph is for the size of `pictures` alone.

    Raises:
        ExportError: PyTorch's own network does not take the pictures.
    """
    session = OnnxSession(path, device="cpu", threads=1)
    channels, height, width = pictures.shape[1:]
    try:
        compare(graph.reference, session, _feeds(graph, session, pictures, batch), agreement, log)
    except (ValueError, RuntimeError) as error:
        raise ExportError(
            f"{graph.module.config.model_type}: PyTorch's own network does not take {height}x{width} pictures: "
            f"{first_line(error)}; give another --size, or none"
        ) from error
    fixed = {1: channels}
    if batch is not None:
        fixed[0] = batch
    if fixed_size or (not log.complaints and not _free_of_size(graph, session, pictures, agreement, log, batch or 1)):
        fixed |= {2: height, 3: width}
    _fix_axes(path, fixed)


def verify_again(
    graph: Graph,
    path: Path,
    pictures: NDArray[np.float32],
    agreement: Agreement,
    log: ParityLog,
    *,
    batch: int | None = None,
) -> None:
    """Compare a graph in another precision, whose axes are settled."""
    session = OnnxSession(path, device="cpu", threads=1)
    compare(graph.reference, session, _feeds(graph, session, pictures, batch), agreement, log)


def _feeds(
    graph: Graph, session: OnnxSession, pictures: NDArray[np.float32], batch: int | None
) -> Iterator[dict[str, NDArray[Any]]]:
    """Every picture in every batch size; of eight, once; a last batch is filled up from the first pictures."""
    for size in (batch,) if batch is not None else _batch_sizes(session):
        for start in range(0, len(pictures), size):
            yield graph.feeds(pictures[np.arange(start, start + size) % len(pictures)], session)


def _batch_sizes(session: OnnxSession) -> Sequence[int]:
    fixed = session.inputs[0].shape[0]
    return BATCH_SIZES if fixed is None else (fixed,)


def _free_of_size(
    graph: Graph,
    session: OnnxSession,
    pictures: NDArray[np.float32],
    agreement: Agreement,
    log: ParityLog,
    batch: int,
) -> bool:
    """Whether the graph takes a second size and is right there; what was found is noted in `log` only if so."""
    shape = next((node.shape for node in session.inputs if node.name == _PIXELS), None)
    if shape is None or None not in shape[2:]:
        return False
    other = noise_like(pictures, second_size((pictures.shape[2], pictures.shape[3])))[:batch]
    trial = ParityLog(log.gate, 1)
    try:
        compare(graph.reference, session, [graph.feeds(other, session)], agreement, trial)
    except (ValueError, RuntimeError, IndexError):
        # PyTorch's own network takes no other size.
        return False
    if trial.complaints:
        return False
    log.merge(trial)
    return True


def _fix_axes(path: Path, axes: dict[int, int]) -> None:
    graph = onnx.load(str(path), load_external_data=False)
    for node in graph.graph.input:
        dims = node.type.tensor_type.shape.dim
        for axis, size in axes.items() if node.name == _PIXELS else ():
            dims[axis].dim_value = size
    onnx.save(graph, str(path))
