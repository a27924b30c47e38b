"""What the user writes behind `mirilla export`, and what comes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from exporters import tune as tune_module
from exporters.errors import ExportError, ParityError
from exporters.request import ExportRequest, export_request
from models.errors import ModelError
from models.manifest import read_manifest
from models.package import find_package
from models.zoo import exported_names, packages_folder
from tests.exporters.checkpoints import write_checkpoint
from tests.models.conftest import brightness_graph

PICTURES = [np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8) for seed in range(3)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRILLA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def vit(tmp_path: Path) -> str:
    return str(write_checkpoint("vit", tmp_path / "tiny-vit"))


def ask(checkpoint: str, **options: object) -> Path:
    return export_request(ExportRequest(checkpoint, **options), lambda _: None)  # type: ignore[arg-type]


def test_without_an_output_the_package_is_found_by_its_name(vit: str, home: Path) -> None:
    assert ask(vit) == home / "packages" / "tiny-vit"
    assert exported_names() == ["tiny-vit"]
    package = find_package("tiny-vit")
    assert (package.origin, package.manifest.name) == ("tiny-vit", "tiny-vit")


def test_an_output_is_where_it_goes(vit: str, tmp_path: Path) -> None:
    assert ask(vit, output=tmp_path / "out" / "mine") == tmp_path / "out" / "mine"
    assert not packages_folder().exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "640"}, "--size: expected HEIGHTxWIDTH"),
        ({"size": "0x32"}, "--size: expected HEIGHTxWIDTH"),
        ({"precision": "fp8"}, "--precision: 'fp8' is none of fp32, fp16, int8"),
        ({"calibration": PICTURES}, "--calibrate: only --precision int8"),
        ({"min_agreement": 1.5}, "--min-agreement: expected 0 to 1"),
        ({"labels": " , "}, "--labels: ' , ' has no names"),
        ({"revision": "main"}, "--revision: .* is a folder"),
        ({"opset": 3}, "Optimum cannot export it with opset 3"),
    ],
)
def test_a_wrong_option_names_itself(vit: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        ask(vit, **options)


@pytest.mark.parametrize(
    ("checkpoint", "hint"),
    # A slip of the finger, and a word.
    [("yolo-tiny", "did you mean 'yolos-tiny'"), ("qqqqqq", "`mirilla models` lists the zoo")],
)
def test_what_is_nothing_is_said(checkpoint: str, hint: str) -> None:
    with pytest.raises(ExportError, match=hint):
        ask(checkpoint)


def test_labels_come_from_a_file_too(vit: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("gato\nreloj\n\nestrella\n", encoding="utf-8")
    package = ask(vit, labels=str(tmp_path / "names.txt"))
    assert read_manifest(package).class_names == ("gato", "reloj", "estrella")


def test_a_failed_package_is_left_and_refused_until_insisted_on(tmp_path: Path) -> None:
    checkpoint = str(write_checkpoint("yolos", tmp_path / "tiny"))
    # Eight bits whose ranges were set by noise cannot agree with fp32 on every box of a photograph.
    with pytest.raises(ParityError, match=r"only \d\d\.\d% of the boxes are alike .*marked as failed") as caught:
        ask(checkpoint, precision="int8", min_agreement=1.0, calibration=PICTURES)
    assert caught.value.exit_code == 1
    with pytest.raises(ModelError, match="did not pass its parity check"):
        find_package("tiny")
    assert find_package("tiny", unverified=True).manifest.precision == "int8"


def test_tuning_prints_a_table_and_keeps_the_fastest_that_agrees(tmp_path: Path) -> None:
    checkpoint = str(write_checkpoint("segformer", tmp_path / "tiny"))
    said: list[str] = []
    package = export_request(ExportRequest(checkpoint, clip=PICTURES, min_agreement=0.5), said.append)
    header = next(index for index, line in enumerate(said) if line.startswith("variant"))
    rows = [line.split() for line in said[header + 1 : -1]]
    times = [float(row[-2]) for row in rows if row[-1] != "little"]
    assert times == sorted(times)
    assert {" ".join(row[:-4]) for row in rows} >= {"fp32", "fp16", "int8 dynamic", "int8 static", "fp32 smaller"}
    assert said[-1].startswith("kept: ")
    kept = find_package(package).manifest
    assert (kept.name, kept.precision) == ("tiny", rows[0][0] if rows[0][0] in ("fp32", "fp16") else "int8")
    assert [path.name for path in package.parent.iterdir()] == ["tiny"]  # the others are gone


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("yolos", None),
        ("unet-binary", None),
        ("vit", None),
        ("sketch-cnn", None),
        ("depth-anything", None),
        ("clip", None),  # nobody has given texts yet: everyday ones are compared
        ("siglip", "cat,star"),  # texts that are fixed, so that it is a classifier as any other
    ],
)
def test_every_task_that_runs_is_tuned(
    name: str, labels: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_variant = tune_module._variants
    monkeypatch.setattr(tune_module, "_variants", lambda *_, **__: list(every_variant(*_, **__))[:1])
    checkpoint = write_checkpoint(name, tmp_path / "tiny")
    said: list[str] = []
    export_request(ExportRequest(str(checkpoint), clip=PICTURES, labels=labels), said.append)
    rows = [line.split() for line in said if line.startswith("fp32")]
    assert len(rows) >= 2
    assert {row[-1] for row in rows} == {"1.000"}


@pytest.mark.parametrize(("name", "task"), [("sam", "mask-generation"), ("clip", "zero-shot-image-classification")])
def test_what_does_not_run_is_not_tuned(name: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune_module, "task_kinds", list)
    said: list[str] = []
    request = ExportRequest(str(write_checkpoint(name, tmp_path / "tiny")), clip=PICTURES)
    with pytest.raises(ExportError, match=f"--tune: mirilla run has no models for {task}, so"):
        export_request(request, said.append)
    assert said == []  # said before anything was exported


def test_a_network_without_a_processor_is_calibrated_too(tmp_path: Path) -> None:
    package = ask(
        str(write_checkpoint("unet", tmp_path / "tiny")), precision="int8", calibration=PICTURES, min_agreement=0.0
    )
    kinds = {node.op_type for node in onnx.load(str(package / "model.onnx")).graph.node}
    assert "QuantizeLinear" in kinds
    assert "DynamicQuantizeLinear" not in kinds


def test_calibrating_a_sketch_model_without_drawings_is_one_line(tmp_path: Path) -> None:
    blank = [np.full((40, 50, 3), 255, np.uint8)]
    with pytest.raises(ExportError, match="--calibrate: no drawing was found in the 1 pictures"):
        ask(str(write_checkpoint("sketch-cnn", tmp_path / "tiny")), precision="int8", calibration=blank)


def test_tuning_that_nothing_passes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.tune.agreement_of", lambda *_: 0.25)
    with pytest.raises(ExportError, match=r"no variant reaches 0\.9, the best has 0\.250"):
        ask(str(write_checkpoint("vit", tmp_path / "tiny")), clip=PICTURES, min_agreement=0.9)
    assert exported_names() == []


@pytest.fixture
def ultralytics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A stand-in for the package, and what it was asked; a checkpoint of it lies at `yolo11n.pt`."""
    asked: dict[str, object] = {}

    class Yolo:
        """What `ultralytics.YOLO` does, as far as we call it."""

        def __init__(self, path: str) -> None:
            self.path = Path(path)

        def export(self, **settings: object) -> str:
            asked.update(settings)
            metadata = {"task": "classify", "names": "{0: 'bright', 1: 'dark'}", "imgsz": "[2, 2]", "args": "{}"}
            brightness_graph(self.path.with_suffix(".onnx"), channels=3, metadata=metadata)
            return str(self.path.with_suffix(".onnx"))

    monkeypatch.setitem(sys.modules, "ultralytics", SimpleNamespace(YOLO=Yolo))
    (tmp_path / "yolo11n.pt").write_bytes(b"weights")
    return asked


def test_ultralytics_is_asked_where_it_is_installed(tmp_path: Path, ultralytics: dict[str, object]) -> None:
    written = ask(str(tmp_path / "yolo11n.pt"), size="64x96", output=tmp_path / "out")
    assert ultralytics == {"format": "onnx", "opset": 18, "half": False, "imgsz": [64, 96]}
    assert written == tmp_path / "out" / "yolo11n.onnx"
    assert find_package(written).manifest.class_names == ("bright", "dark")


@pytest.mark.usefixtures("ultralytics")
def test_without_an_output_what_ultralytics_exported_is_found_by_its_name(tmp_path: Path, home: Path) -> None:
    written = ask(str(tmp_path / "yolo11n.pt"))
    assert written == home / "packages" / "yolo11n" / "yolo11n.onnx"
    assert exported_names() == ["yolo11n"]
    assert find_package("yolo11n").model_path == written


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "object-detection"}, "--task: Ultralytics' own exporter"),
        ({"labels": "a,b"}, "--labels: Ultralytics' own exporter"),
        ({"min_agreement": 0.5}, "--min-agreement: Ultralytics' own exporter"),
        ({"precision": "int8"}, "--precision int8: Ultralytics' own exporter"),
        ({"clip": PICTURES}, "--tune: is for checkpoints of transformers, not for yolo11n.pt"),
        ({"revision": "main"}, "--revision: is for checkpoints of transformers"),
    ],
)
def test_what_ultralytics_does_not_do_is_not_passed_over(
    tmp_path: Path, ultralytics: dict[str, object], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        ask(str(tmp_path / "yolo11n.pt"), **options)
    assert ultralytics == {}


def test_without_ultralytics_one_line_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ExportError, match=r"AGPL-3\.0 .* pip install ultralytics"):
        ask(str(tmp_path / "yolo11n.pt"))
