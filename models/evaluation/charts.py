"""Draws precision-recall curves and confusion matrices as PNG; the one file here that imports matplotlib, when called.

The same figures make the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CLASSES_IN_A_MATRIX = 48
_PAIRS_SHOWN = 30
_BLUE, _QUIET = "#3b6ea8", "#9db7d5"


def draw_precision_recall(
    path: Path, title: str, recalls: NDArray[np.float64], precisions: Mapping[float, NDArray[np.float64]]
) -> None:
    """Draw precision over recall, a line an IoU."""
    figure = _new_figure(7, 5)
    axes = figure.subplots()
    for (iou, precision), colour in zip(precisions.items(), (_BLUE, _QUIET), strict=False):
        label = f"IoU {iou}: {precision.mean():.3f}"
        axes.plot(recalls, precision, color=colour, linewidth=2, label=label)
        axes.fill_between(recalls, precision, color=colour, alpha=0.12, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision, mean of the classes", title=title)
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(title="average precision", frameon=False, loc="upper right")
    _save(figure, path)


def draw_confusion(path: Path, title: str, confusion: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draw the whole matrix (K, K + 1) where it is legible, and the most confused pairs where it is not.

    The last column is drawn as `other` where there is something in it.
    """
    if len(names) <= _MOST_CLASSES_IN_A_MATRIX:
        _save(_matrix(title, confusion, names), path)
    else:
        _save(_pairs(title, confusion[:, :-1], names), path)


def draw_training(
    path: Path, losses: Sequence[float], steps: Sequence[int], figures: Mapping[str, Sequence[float]]
) -> None:
    """Draw how a training went: the loss of each step with its running mean, and shares 0..1 at some of the steps."""
    figure = _new_figure(9, 4)
    left, right = figure.subplots(1, 2)
    window = max(1, len(losses) // 100)
    mean = np.convolve(np.asarray(losses, np.float64), np.ones(window) / window, mode="valid")
    left.plot(np.arange(1, len(losses) + 1), losses, color=_QUIET, linewidth=0.5)
    left.plot(np.arange(window, len(losses) + 1), mean, color=_BLUE, linewidth=2, label=f"mean of {window}")
    left.set(xlabel="step", ylabel="loss", title="loss")
    for name, values in figures.items():
        right.plot(steps, values, linewidth=2, label=name)
    right.set(xlabel="step", ylim=(0, 1), title="on new scenes")
    for axes in (left, right):
        axes.grid(color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    _save(figure, path)


def _matrix(title: str, confusion: NDArray[np.int64], names: Sequence[str]) -> Figure:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    columns = [*names, "other"]
    if not confusion[:, -1].any():
        shares, columns = shares[:, :-1], columns[:-1]
    figure = _new_figure(3 + 0.25 * len(columns), 3 + 0.25 * len(names))
    axes = figure.subplots()
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set(xlabel="said", ylabel="is", title=f"{title}\nper cent of a row")
    for row, column in zip(*np.nonzero(shares >= 0.0055), strict=True):
        colour = "white" if shares[row, column] > 0.4 else "black"
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    return figure


def _pairs(title: str, confusion: NDArray[np.int64], names: Sequence[str]) -> Figure:
    mistakes = np.triu(confusion + confusion.T, 1)
    totals = confusion.sum(axis=1)
    shares = mistakes / np.maximum(totals[:, None] + totals[None, :], 1)
    order = np.argsort(-shares, axis=None, kind="stable")[:_PAIRS_SHOWN]
    rows, columns = np.unravel_index(order[shares.ravel()[order] > 0][::-1], shares.shape)
    figure = _new_figure(9, 2 + 0.2 * len(rows))
    axes = figure.subplots()
    labels = [f"{names[row]} / {names[column]}" for row, column in zip(rows, columns, strict=True)]
    bars = axes.barh(labels, 100 * shares[rows, columns], color=_BLUE)
    axes.bar_label(bars, [f"{count}" for count in mistakes[rows, columns]], padding=3, fontsize=8)
    axes.tick_params(axis="y", labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("per cent of both classes taken for the other (how many: at the bar)")
    axes.set_title(f"{title}\nthe {len(labels)} pairs of {len(names)} classes that are taken for each other most")
    return figure


def load_library() -> type[Figure]:
    """Matplotlib's figure; called before the work whose outcome is to be drawn.

    Raises:
        DataError: it is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DataError("evaluate: --output needs matplotlib; pip install 'mirilla[eval]'") from error
    return Figure


def _new_figure(width_in: float, height_in: float) -> Figure:
    figure_type = load_library()
    return figure_type(figsize=(width_in, height_in), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    # Without the software's version and the date the same figures make the same file.
    figure.savefig(path, dpi=100, metadata={"Software": None})
