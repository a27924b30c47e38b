"""CLIP and SigLIP compare pictures with the user's texts as the transformers pipeline does, texts read once."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from exporters.errors import ExportError
from exporters.export import ExportOptions, export_package
from exporters.zero_shot import write_texts
from models import Classification, Model, load_model
from models.errors import ModelError
from models.evaluation.evaluate import evaluate
from models.onnx_session import OnnxSession
from models.package import find_package
from tests.exporters.checkpoints import build, write_checkpoint, write_siglip_tokenizer

transformers: Any = importlib.import_module("transformers")
NETWORKS = ("clip", "siglip")
TEXTS = ("a dog", "a cat", "two red bicycles", "la niña", "PEOPLE at a bus stop")
# Each letter is a token here: with its prompt of 17, and a start and an end.
LONG = "x" * 100


def pictures(test_data: Path) -> list[tuple[Path, NDArray[np.uint8]]]:
    return [
        (path, np.asarray(cv2.imread(str(path)), np.uint8)) for path in sorted((test_data / "images").glob("*.jpg"))
    ]


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Checkpoint and package, of which the texts are free."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = write_checkpoint(request.param, folder / "checkpoint")
    return checkpoint, export_package(checkpoint, folder / request.param)


def differences(checkpoint: Path, model: Model, texts: Sequence[str], test_data: Path) -> NDArray[np.float32]:
    """Scores (pictures, texts) of a model, once they were found to be the pipeline's, in order."""
    pipeline = transformers.pipeline("zero-shot-image-classification", model=str(checkpoint), device="cpu")
    scores = []
    for path, image in pictures(test_data):
        found = model(image)
        assert isinstance(found, Classification)
        expected = pipeline(str(path), candidate_labels=list(texts))
        assert found.labels == [row["label"] for row in expected]
        np.testing.assert_allclose(found.scores, [row["score"] for row in expected], atol=0.001)
        scores.append(found.scores[np.argsort(found.class_ids)])
    return np.stack(scores)


@pytest.mark.parametrize("texts", [TEXTS, ("a dog",), tuple(f"thing {number}" for number in range(40))])
def test_scores_are_those_of_the_pipeline(exported: tuple[Path, Path], texts: tuple[str, ...], test_data: Path) -> None:
    checkpoint, package = exported
    model = load_model(package, device="cpu", threads=1, texts=texts, top=len(texts))
    scores = differences(checkpoint, model, texts, test_data)
    if texts == TEXTS:
        # Pictures and texts both make a difference.
        assert np.ptp(scores, axis=0).max() > 0.02
        assert np.ptp(scores, axis=1).max() > 0.02


@pytest.mark.parametrize("network", NETWORKS)
def test_texts_that_were_fixed_at_export_say_the_same(network: str, tmp_path: Path, test_data: Path) -> None:
    torch.set_num_threads(1)
    checkpoint = write_checkpoint(network, tmp_path / "checkpoint")
    package = export_package(checkpoint, tmp_path / "package", ExportOptions(labels=TEXTS, batch=1))
    assert not (package / "tokenizer.json").exists()
    manifest = find_package(package).manifest
    assert (manifest.task, manifest.texts) == ("image_classification", None)
    assert manifest.decoder == {"clip": "softmax", "siglip": "probabilities"}[network]
    differences(checkpoint, load_model(package, device="cpu", threads=1), TEXTS, test_data)


def test_texts_are_the_classes_and_are_read_once(exported: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, package = exported
    ran: list[set[str]] = []
    true_run = OnnxSession.run

    def run(session: OnnxSession, feeds: Any) -> Any:
        ran.append(set(feeds))
        return true_run(session, feeds)

    monkeypatch.setattr(OnnxSession, "run", run)
    model = load_model(package, device="cpu", texts=TEXTS, classes=["la niña", "a dog"])
    for _ in range(3):
        result = model(np.zeros((50, 40, 3), np.uint8))
    assert isinstance(result, Classification)
    assert sorted(result.labels) == ["a dog", "la niña"]
    assert model.manifest.class_names == TEXTS
    # The texts once, then the warm-up and three frames.
    assert [("input_ids" in names, "pixel_values" in names) for names in ran] == [(True, False)] + [(False, True)] * 4


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (None, r"texts: the model tells apart what you name, .* give --texts 'a dog,a cat', or texts:"),
        ((), "texts: there are none"),
        (("a dog", " "), "texts: number 2 is empty"),
        (("a dog", "a cat", "a dog"), "texts: 'a dog' stands there twice"),
        (("a dog", LONG), rf"texts: '{LONG[:40]}\.\.\.' has 11\d tokens with its prompt, and the model reads (77|64)"),
    ],
)
def test_texts_that_do_not_do_are_one_line(
    exported: tuple[Path, Path], texts: tuple[str, ...] | None, message: str
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(exported[1], device="cpu", texts=texts)
    assert "\n" not in str(caught.value)


def test_a_text_as_long_as_the_model_reads_is_read(exported: tuple[Path, Path]) -> None:
    spec = find_package(exported[1]).manifest.texts
    assert spec is not None
    with pytest.raises(ModelError, match=r"has (\d+) tokens") as caught:
        load_model(exported[1], device="cpu", texts=[LONG])
    too_many = int(str(caught.value).split(" has ")[1].split()[0]) - spec.length
    load_model(exported[1], device="cpu", texts=[LONG[too_many:]])
    with pytest.raises(ModelError, match=rf"has {spec.length + 1} tokens"):
        load_model(exported[1], device="cpu", texts=[LONG[too_many - 1 :]])


def test_folders_of_pictures_are_measured_with_their_names_as_texts(
    exported: tuple[Path, Path], test_data: Path, tmp_path: Path
) -> None:
    checkpoint, package = exported
    pipeline = transformers.pipeline("zero-shot-image-classification", model=str(checkpoint), device="cpu")
    texts = {"red_bus": "red bus", "a horse": "a horse"}
    best = []
    for path, _ in pictures(test_data):
        best.append(pipeline(str(path), candidate_labels=list(texts.values()))[0]["label"])
        for folder in texts:
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tmp_path / "data" / folder / path.name)
    result = evaluate(package, tmp_path / "data")
    # Every picture lies in both folders, and is right in one.
    assert result.figures["top1"] == 0.5
    assert {row["class"]: row["top1"] for row in result.classes} == pytest.approx(
        {folder: best.count(text) / len(best) for folder, text in texts.items()}
    )


def test_a_model_with_classes_of_its_own_takes_no_texts() -> None:
    with pytest.raises(
        ModelError, match=r"texts: the model has classes of its own \(.* and \d+ more\); leave texts out"
    ):
        load_model("quickdraw-32", device="cpu", texts=["a dog"])


@pytest.mark.parametrize("name", ["tokenizer.json", "text_encoder.onnx"])
def test_what_reads_texts_is_part_of_the_package(exported: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    package = tmp_path / "copy"
    shutil.copytree(exported[1], package)
    (package / name).write_bytes(b"{}")
    with pytest.raises(ModelError, match=f"{name} is missing or does not have its sha256"):
        load_model(package, device="cpu", texts=TEXTS)
    with pytest.raises(ModelError, match=name):
        load_model(package, device="cpu", texts=TEXTS, unverified=True)


def test_a_picture_half_of_another_space_is_said(exported: tuple[Path, Path]) -> None:
    model = load_model(exported[1], device="cpu", texts=TEXTS)
    with pytest.raises(ModelError, match=r"image_embeds: expected \(1, \d+\) as the texts have, got \(1, 3\)"):
        model.task.postprocess({"image_embeds": np.zeros((1, 3), np.float32)}, None)


@pytest.mark.parametrize(
    ("spoil", "labels", "message"),
    [
        (lambda folder: (folder / "vocab.json").unlink(), None, "no tokenizer to read texts with; copy tokenizer.json"),
        (
            lambda folder: (folder / "vocab.json").unlink(),
            TEXTS,
            "no tokenizer to read texts with; copy tokenizer.json",
        ),
        (lambda _: None, ("a dog", LONG), r"--labels: 'x+' has 11\d tokens with its prompt, and the model reads 77"),
    ],
    ids=["no tokenizer, free texts", "no tokenizer, fixed texts", "too long"],
)
def test_an_export_that_cannot_read_texts_says_so(
    tmp_path: Path, spoil: Any, labels: tuple[str, ...] | None, message: str
) -> None:
    checkpoint = write_checkpoint("clip", tmp_path / "checkpoint")
    spoil(checkpoint)
    with pytest.raises(ExportError, match=message):
        export_package(checkpoint, tmp_path / "package", ExportOptions(labels=labels))


def test_a_tokenizer_file_that_reads_otherwise_is_refused(tmp_path: Path) -> None:
    # Two tokenizers in one folder: the class that the checkpoint names reads code points, the file beside it letters.
    write_siglip_tokenizer(tmp_path)
    content = {"tokenizer_class": "CanineTokenizer"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "special_tokens_map.json").unlink()
    (tmp_path / "package").mkdir()
    with pytest.raises(ExportError, match=r"tokenizer.json reads texts otherwise than the checkpoint's tokenizer"):
        write_texts(build("siglip"), tmp_path, tmp_path / "package")
