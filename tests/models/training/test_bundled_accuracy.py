"""The bundled packages are as good as their manifests say: measured again, by ONNX Runtime, on held-out drawings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.onnx_session import OnnxSession
from models.package import find_package
from models.sketch_raster import rasterize_strokes, simplify

Drawings = tuple[NDArray[np.uint8], NDArray[np.int64]]


def last_bitmaps(folder: Path, class_names: tuple[str, ...]) -> Drawings:
    """The last tenth of each file."""
    rows = [np.load(folder / f"{name}.npz")["bitmaps"] for name in class_names]
    held_out = [row[len(row) * 9 // 10 :] for row in rows]
    labels = np.repeat(np.arange(len(rows)), [len(row) for row in held_out])
    return np.concatenate(held_out).reshape(-1, 28, 28), labels


def last_strokes(folder: Path, class_names: tuple[str, ...]) -> Drawings:
    """The last fifth of each file."""
    pictures, labels = [], []
    for label, name in enumerate(class_names):
        lines = (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
        for line in lines[len(lines) * 4 // 5 :]:
            strokes = [np.array(stroke[:2], float).T for stroke in json.loads(line)["drawing"]]
            pictures.append(rasterize_strokes(simplify(strokes)))
            labels.append(label)
    return np.stack(pictures), np.array(labels)


@pytest.mark.parametrize(
    ("name", "read", "place", "count", "least_top1", "least_top5"),
    [
        ("quickdraw-32", last_bitmaps, "quickdraw/bitmaps", 9230, 0.93, 0.99),
        ("quickdraw-345", last_strokes, "quickdraw/strokes", 1458, 0.50, 0.75),
    ],
)
def test_the_manifest_tells_the_truth(
    test_data: Path, name: str, read: object, place: str, count: int, least_top1: float, least_top5: float
) -> None:
    package = find_package(name)
    manifest = package.manifest
    assert callable(read)
    pictures, labels = read(test_data / place, manifest.class_names)
    assert len(pictures) == count
    session = OnnxSession(package.model_path, device="cpu", threads=1)
    # Multiplied as the manifest says, not divided by 255: where eight bits round, the last digit of a pixel decides.
    ready = pictures[:, None] * np.float32(manifest.input.scale)
    logits = np.concatenate(
        [session.run({"pixel_values": ready[start : start + 256]})["logits"] for start in range(0, count, 256)]
    )
    # How many classes score higher than the right one: 0 is a first guess.
    rank = (logits > logits[np.arange(count), labels][:, None]).sum(axis=1)
    top1, top5 = float((rank == 0).mean()), float((rank < 5).mean())
    assert manifest.accuracy is not None
    # One drawing on the edge may fall either way on another processor.
    assert manifest.accuracy["top1"] == pytest.approx(top1, abs=1.5 / count)
    assert manifest.accuracy["top5"] == pytest.approx(top5, abs=1.5 / count)
    assert top1 >= least_top1
    assert top5 >= least_top5


@pytest.mark.parametrize("name", ["quickdraw-32", "quickdraw-345"])
def test_a_bundled_package_is_small_credited_and_complete(name: str) -> None:
    package = find_package(name)
    folder = package.model_path.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "confusion.png",
        "manifest.json",
        "model.onnx",
    ]
    assert package.model_path.stat().st_size < 4_000_000
    manifest = package.manifest
    assert "Quick, Draw! by Google" in (manifest.source.attribution or "")
    assert "CC BY 4.0" in (folder / "README.md").read_text(encoding="utf-8")
    assert manifest.trained_with is not None
    assert manifest.trained_with in (folder / "README.md").read_text(encoding="utf-8")
    session = OnnxSession(package.model_path, device="cpu", threads=1)
    logits = session.run({"pixel_values": np.zeros((1, 1, 28, 28), np.float32)})["logits"]
    assert logits.shape == (1, len(manifest.class_names))
    assert np.isfinite(logits).all()
