"""Small files in Google's layouts, drawn by code: circles, crosses and lines that a tiny network can tell apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.sketch_raster import rasterize_strokes

SHAPES = ("circle", "cross", "line")


def shape_strokes(name: str, random: np.random.Generator) -> list[NDArray[np.float64]]:
    """One drawing of a shape, a little different each time, in pixels of some screen."""
    wobble = random.normal(0, 20, (2, 2))
    if name == "circle":
        turn = np.linspace(0, 2 * np.pi, 24)
        radii = 100 + random.normal(0, 8, 2)
        return [np.stack([300 + radii[0] * np.cos(turn), 200 + radii[1] * np.sin(turn)], axis=1)]
    if name == "cross":
        ends = np.array([[0, 0], [200, 200]], float), np.array([[200, 0], [0, 200]], float)
        return [ends[0] + wobble, ends[1] - wobble]
    return [np.array([[0, 100], [220, 100]], float) + wobble]


def write_bitmaps(folder: Path, count: int, suffix: str = ".npz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for label, name in enumerate(SHAPES):
        random = np.random.default_rng(label)
        rows = np.stack([rasterize_strokes(shape_strokes(name, random)).ravel() for _ in range(count)])
        if suffix == ".npz":
            np.savez_compressed(folder / f"{name}.npz", bitmaps=rows)
        else:
            np.save(folder / f"{name}.npy", rows)
    return folder


def write_strokes(folder: Path, count: int, *, raw: bool = True, first_seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for label, name in enumerate(SHAPES):
        random = np.random.default_rng(first_seed + label)
        lines = []
        for _ in range(count):
            strokes = shape_strokes(name, random)
            times = [[list(range(len(points)))] if raw else [] for points in strokes]
            drawing = [points.T.tolist() + time for points, time in zip(strokes, times, strict=True)]
            lines.append(json.dumps({"word": name, "recognized": True, "drawing": drawing}))
        (folder / f"{name}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
