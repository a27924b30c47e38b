"""Every architecture that Mirilla promises exports, passes the parity gate, and is taken by the runtime."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from exporters.export import export_package
from exporters.parity_inputs import drawn_photo
from models import load_model
from models.package import find_package
from models.results import Classification
from models.tasks import task_kinds
from tests.exporters.checkpoints import ARCHITECTURES, CLASSIFIERS, build, write_checkpoint

RUNTIME = {(kind.name, decoder) for kind in task_kinds() for decoder in kind.decoders}
# PyTorch's own network takes no other size than it was made for, or Optimum traces it for one alone.
FIXED_SIZE = {
    *("clip", "siglip", "vit", "deit", "mobilenet-v2", "sketch-cnn", "sam", "slim-sam", "vitpose", "vitpose-plus"),
    *("dpt-segmentation", "dpt-depth", "maskformer"),
}
# Somebody points at things in one picture.
ONE_PICTURE = {"sam", "slim-sam"}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_exports_and_passes(tmp_path: Path, name: str) -> None:
    package = export_package(write_checkpoint(name, tmp_path / "checkpoint"), tmp_path / name)
    manifest = find_package(package).manifest  # refuses what did not pass
    parity = manifest.parity
    assert parity is not None
    assert parity.inputs >= 4
    assert parity.batch_sizes == ((1,) if name in ONE_PICTURE else (1, 2, 8))
    assert len(parity.sizes_hw) == (1 if name in FIXED_SIZE else 2)
    assert parity.max_abs_difference
    assert max(parity.relative_difference.values()) < 1e-4
    assert set(parity.agreement.values()) == {1.0}
    runs = (manifest.task, manifest.decoder) in RUNTIME
    assert runs == (documented()[name][2].strip() == "yes")
    if runs:
        texts = None if manifest.texts is None else ("a dog", "a cat")
        result = load_model(package, device="cpu", threads=1, texts=texts)(drawn_photo(48, 72)[..., ::-1])
        assert result.task == manifest.task


def test_the_drawn_picture_is_no_flat_field() -> None:
    photo = drawn_photo()
    assert photo.shape == (480, 640, 3)
    assert photo.std(axis=(0, 1)).min() > 30
    assert np.array_equal(photo, drawn_photo())


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name != "sketch-cnn"])
def test_a_classifier_says_of_a_picture_what_pytorch_says(tmp_path: Path, name: str) -> None:
    package = export_package(write_checkpoint(name, tmp_path / "checkpoint"), tmp_path / name)
    # Portrait and of odd sides: stretching, cropping and rounding all show.
    photo = drawn_photo(97, 71)
    processor = CLASSIFIERS[name].processor
    assert processor is not None
    with torch.inference_mode():
        logits = build(name)(**processor()(images=photo, return_tensors="pt")).logits
    expected = logits.softmax(dim=-1)[0].numpy()
    result = load_model(package, device="cpu", threads=1)(photo[..., ::-1])
    assert isinstance(result, Classification)
    np.testing.assert_allclose(result.scores, np.sort(expected)[::-1], atol=0.01)
    assert result.class_ids[0] == expected.argmax()


def documented() -> dict[str, list[str]]:
    """Task, sizes and whether it runs, by architecture, as the table says."""
    page = (Path(__file__).parent.parent.parent / "docs" / "exporting.md").read_text(encoding="utf-8")
    table = page.split("## What is verified")[1].split("## Safety")[0]
    return {match[1]: match[2].split("|") for match in re.finditer(r"\| .*\(`([\w-]+)`\) \|(.*)\|", table)}


def test_the_table_of_architectures_says_what_is_verified() -> None:
    rows = documented()
    assert set(rows) == set(ARCHITECTURES)
    for name, (task, sizes, _) in rows.items():
        assert task.strip() == ARCHITECTURES[name].task
        assert (sizes.strip() == "one") == (name in FIXED_SIZE)
