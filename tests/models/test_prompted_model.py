"""Points and boxes are answered as transformers answers them, and the encoder runs once a picture.

The judge is `SamModel` with `SamProcessor` on the same seeded weights.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exporters.export import export_package
from exporters.parity_inputs import drawn_photo
from models.errors import MirillaError, ModelError, PromptError
from models.manifest import PROMPT_DECODER_NAME, read_manifest, write_manifest
from models.package import BUNDLED
from models.prompted_model import PromptedModel, load_prompted_model, masked_objects
from models.prompts import ObjectPrompt
from tests.models.sam_checkpoints import SLIM_77, VIT_B, Reference, build_sam, mask_iou, save_sam

LAYOUTS: dict[str, dict[str, Any]] = {"vit-b": VIT_B, "slim-77": SLIM_77}
SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Sam:
    """A network in PyTorch, its processor, and the package that it was exported to."""

    model: Any
    processor: Any
    package: Path


@pytest.fixture(scope="module", params=LAYOUTS)
def sam(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sam:
    folder = tmp_path_factory.mktemp(request.param)
    model, processor = build_sam(LAYOUTS[request.param], SIDE_PX)
    checkpoint = save_sam(model, processor, folder / "checkpoint")
    return Sam(model, processor, export_package(checkpoint, folder / "package"))


@pytest.fixture
def slim(sam: Sam) -> PromptedModel:
    return load_prompted_model(sam.package, device="cpu", threads=1)


def picture(width: int, height: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(drawn_photo(height, width)[..., ::-1])


def inside(width: int, height: int) -> list[ObjectPrompt]:
    """Prompts in shares of a picture's sides; all but the first and the last are of a kind of their own."""

    def at(x: float, y: float) -> tuple[float, float]:
        return x * (width - 1), y * (height - 1)

    box = (*at(0.2, 0.1), *at(0.9, 0.7))
    return [
        ObjectPrompt((at(0.3, 0.5),)),
        # Two points and one beside: three together.
        ObjectPrompt((at(0.3, 0.5), at(0.6, 0.4)), (at(0.9, 0.9),)),
        ObjectPrompt(box_xyxy=box),
        ObjectPrompt((at(0.4, 0.4),), (at(0.1, 0.8), at(0.25, 0.15)), box),
        # Is asked together with the first.
        ObjectPrompt((at(1.0, 1.0),)),
    ]


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (640, 480),  # made smaller
        (97, 211),  # portrait, odd, made larger
        (400, 51),  # much padding
        (256, 256),  # the encoder's own size
    ],
)
def test_masks_and_scores_are_those_of_transformers(sam: Sam, width: int, height: int) -> None:
    model = load_prompted_model(sam.package, device="cpu", threads=1)
    image, prompts = picture(width, height), inside(width, height)
    found = model.segment(model.embed(image), prompts, all_masks=True)
    assert len(found) == 3 * len(prompts)
    reference = Reference(sam.model, sam.processor, image)
    shares = []
    for number, prompt in enumerate(prompts):
        expected, got = reference.answer(prompt), found[found.class_ids == number]
        assert got.masks is not None
        np.testing.assert_allclose(got.scores, expected.scores, atol=0.01)
        for mine, wanted in zip(got.masks, expected.masks, strict=True):
            assert mask_iou(mine, wanted) >= 0.99
            shares.append(wanted.mean())
    # Empty and full masks would agree without saying anything.
    assert sum(0.05 < share < 0.95 for share in shares) >= len(shares) // 2


def test_a_single_pixel_is_a_picture_too(sam: Sam, slim: PromptedModel) -> None:
    image = np.full((1, 1, 3), 80, np.uint8)
    prompt = ObjectPrompt(((0, 0),))
    found = slim.segment(slim.embed(image), [prompt])
    assert found.masks is not None
    assert np.array_equal(found.masks, Reference(sam.model, sam.processor, image).answer(prompt).masks[:1])


def test_the_best_mask_is_chosen_and_objects_keep_their_names(slim: PromptedModel) -> None:
    image, prompts = picture(120, 90), inside(120, 90)
    embedding = slim.embed(image)
    every, best = slim.segment(embedding, prompts, all_masks=True), slim.segment(embedding, prompts)
    assert sorted(best.labels) == [f"object {number}" for number in range(1, 6)]
    assert best.masks is not None
    assert every.masks is not None
    for number in range(len(prompts)):
        surest = every[every.class_ids == number][0]
        mine = best[best.class_ids == number]
        assert surest.masks is not None
        assert mine.masks is not None
        assert surest.scores[0] == mine.scores[0]
        assert np.array_equal(surest.masks[0], mine.masks[0])
    assert best.task == "prompted_segmentation"


def test_ten_clicks_on_a_picture_encode_it_once(slim: PromptedModel) -> None:
    image = picture(80, 60)
    for x in range(10):
        # As a viewer's clicks come: each with the picture, in memory of its own.
        slim.segment(slim.embed(image.copy()), [ObjectPrompt(((8 * x, 30),))])
    assert (slim.encoder_runs, slim.decoder_runs) == (1, 10)
    slim.embed(np.ascontiguousarray(image[:, ::-1]))
    assert slim.encoder_runs == 2


def test_objects_asked_with_as_much_are_decoded_together(slim: PromptedModel) -> None:
    embedding = slim.embed(picture(80, 60))
    slim.segment(embedding, [ObjectPrompt(((x, 5),)) for x in range(7)])
    assert slim.decoder_runs == 1
    slim.segment(embedding, [ObjectPrompt(((1, 5),)), ObjectPrompt(((1, 5), (2, 5)))])
    assert slim.decoder_runs == 3


def test_old_embeddings_are_let_go(slim: PromptedModel) -> None:
    pictures = [np.full((20, 20, 3), level, np.uint8) for level in range(5)]
    for image in (*pictures, pictures[4], pictures[0]):
        slim.embed(image)
    # Four are kept: the newest is there, the first had to be made again.
    assert slim.encoder_runs == 6


def test_pictures_of_the_same_bytes_and_other_shapes_are_told_apart(slim: PromptedModel) -> None:
    slim.embed(np.zeros((20, 30, 3), np.uint8))
    assert slim.embed(np.zeros((30, 20, 3), np.uint8)).placement.frame_wh == (20, 30)


def test_the_stages_are_timed_apart(slim: PromptedModel) -> None:
    stages: list[str] = []

    def timer(stage: str) -> Any:
        stages.append(stage)
        return nullcontext()

    image = picture(40, 30)
    for _ in range(2):
        slim.segment(slim.embed(image, timer), [ObjectPrompt(((1, 1),))], timer=timer)
    assert stages == ["preprocess", "encoder", "decoder", "postprocess", "decoder", "postprocess"]


def test_a_folder_of_optimums_with_the_true_input(tmp_path: Path) -> None:
    """1024 px and SlimSAM's widths, without a manifest, as Optimum and the hub's ONNX repositories lay it out."""
    from optimum.exporters.onnx import main_export

    model, processor = build_sam({**SLIM_77, "num_hidden_layers": 1, "global_attn_indexes": [0]}, 1024)
    checkpoint = save_sam(model, processor, tmp_path / "checkpoint")
    main_export(str(checkpoint), tmp_path / "onnx", task="feature-extraction", do_validation=False, batch_size=1)
    mine = load_prompted_model(tmp_path / "onnx", device="cpu")
    image = picture(450, 300)
    prompt = ObjectPrompt(((150, 150),), ((440, 10),))
    embedding = mine.embed(image)
    found = mine.segment(embedding, [prompt], all_masks=True)
    expected = Reference(model, processor, image).answer(prompt)
    assert found.masks is not None
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.01)
    assert min(map(mask_iou, found.masks, expected.masks)) >= 0.99
    assert 0.05 < expected.masks.mean() < 0.95
    with pytest.raises(PromptError, match=r"answers points and no boxes; .* mirilla export"):
        mine.segment(embedding, [ObjectPrompt(box_xyxy=(1, 1, 9, 9))])


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (ObjectPrompt(((40, 5),)), r"the point 40,5 is outside the picture; give 0 to 39, 0 to 29"),
        (ObjectPrompt(((5, 5),), ((5, -0.5),)), r"the point 5,-0.5 is outside"),
        (ObjectPrompt(box_xyxy=(5, 5, 41, 20)), r"the box 5,5,41,20 reaches out of the picture; .*0,0,40,30"),
    ],
)
def test_prompts_outside_the_picture_are_refused(slim: PromptedModel, prompt: ObjectPrompt, message: str) -> None:
    embedding = slim.embed(picture(40, 30))
    with pytest.raises(PromptError, match=message):
        slim.segment(embedding, [prompt])
    assert slim.decoder_runs == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "an object needs a point on it or a box around it"),
        ({"negative_xy": ((1, 1),)}, "points beside it do not do"),
        ({"box_xyxy": (5, 5, 5, 9)}, "the box 5,5,5,9 has no area"),
        ({"box_xyxy": (5, 9, 7, 5)}, "the box 5,9,7,5 has no area"),
        ({"points_xy": ((float("nan"), 1),)}, "expected coordinates in pixels, got nan"),
    ],
)
def test_what_is_no_prompt(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PromptError, match=message):
        ObjectPrompt(**fields)


def test_a_package_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelError, match=r"quickdraw-32 is made for sketch_classification, not for points and boxes"):
        load_prompted_model("quickdraw-32")
    assert (BUNDLED / "quickdraw-32").is_dir()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / PROMPT_DECODER_NAME).unlink(), rf"{PROMPT_DECODER_NAME} is missing"),
        (
            lambda folder: shutil.copyfile(folder / "model.onnx", folder / PROMPT_DECODER_NAME),
            "the decoder's input 'image_embeddings' is missing; export it again",
        ),
    ],
)
def test_a_package_without_its_other_half(sam: Sam, tmp_path: Path, damage: Any, message: str) -> None:
    folder = shutil.copytree(sam.package, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(MirillaError, match=message):
        load_prompted_model(folder, device="cpu", unverified=True)


def test_a_decoder_that_was_changed_is_refused(sam: Sam, tmp_path: Path) -> None:
    folder = shutil.copytree(sam.package, tmp_path / "changed")
    hashes = {PROMPT_DECODER_NAME: "0" * 64}
    write_manifest(read_manifest(folder).model_copy(update={"further_files": hashes}), folder)
    with pytest.raises(ModelError, match=f"{PROMPT_DECODER_NAME} is missing or does not have its sha256"):
        load_prompted_model(folder, device="cpu")


def test_an_empty_mask_has_an_empty_box() -> None:
    mask = np.zeros((4, 6), np.bool_)
    mask[1:3, 2:6] = True
    found = masked_objects([mask, np.zeros((4, 6), np.bool_)], [0.9, 0.1], [0, 1], ("a", "b"), (6, 4))
    assert found.boxes_xyxy.tolist() == [[2, 1, 6, 3], [0, 0, 0, 0]]
    assert masked_objects([], [], [], (), (6, 4)).masks is not None
