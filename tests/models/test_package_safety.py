"""A package's files are its own: nothing that it names may lie outside its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from pydantic import ValidationError

from models.errors import ModelError
from models.manifest import MANIFEST_NAME, MODEL_NAME, file_sha256, read_manifest
from models.onnx_session import OnnxSession
from models.package import find_package

MakePackage = Callable[..., Path]


@pytest.mark.parametrize("name", ["../evil.onnx", "/etc/passwd", "a/b.onnx", "..", ".hidden", "a\\b", ""])
def test_a_file_name_that_leads_elsewhere_is_refused(make_package: MakePackage, name: str) -> None:
    with pytest.raises(ValidationError, match="further_files"):
        make_package(further_files={name: "0" * 64})


def test_a_manifest_from_elsewhere_is_checked_alike(make_package: MakePackage) -> None:
    package = make_package(further_files={"decoder.onnx": "0" * 64})
    path = package / MANIFEST_NAME
    path.write_text(path.read_text().replace("decoder.onnx", "../decoder.onnx"))
    with pytest.raises(ModelError, match="further_files"):
        read_manifest(package)


@pytest.mark.parametrize("content", [None, b"other"], ids=["missing", "changed"])
def test_further_files_are_checked_too(make_package: MakePackage, content: bytes | None) -> None:
    package = make_package(further_files={"decoder.onnx": "0" * 64})
    if content is not None:
        (package / "decoder.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"decoder\.onnx is missing or does not have its sha256"):
        find_package(package)


def test_further_files_that_are_right_are_taken(make_package: MakePackage, tmp_path: Path) -> None:
    (tmp_path / "decoder.onnx").write_bytes(b"decoder")
    package = make_package(further_files={"decoder.onnx": file_sha256(tmp_path / "decoder.onnx")})
    (tmp_path / "decoder.onnx").replace(package / "decoder.onnx")
    assert list(find_package(package).manifest.further_files) == ["decoder.onnx"]


@pytest.mark.parametrize("unverified", [False, True])
def test_a_model_that_is_a_link_out_of_the_package_is_refused(
    make_package: MakePackage, tmp_path: Path, unverified: bool
) -> None:
    package = make_package()
    (package / MODEL_NAME).rename(tmp_path / "elsewhere.onnx")
    (package / MODEL_NAME).symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(ModelError, match="leads out of"):
        find_package(package, unverified=unverified)


def with_external_data(path: Path, location: str) -> None:
    """A graph whose one weight lies in another file."""
    weight = TensorProto(name="weight", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "weight"], ["y"])],
        "external",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("how", ["parent", "absolute", "link"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, how: str) -> None:
    outside, folder = tmp_path / "outside.bin", tmp_path / "package"
    outside.write_bytes(np.ones(4, np.float32).tobytes())
    folder.mkdir()
    (folder / "link.bin").symlink_to(outside)
    location = {"parent": "../outside.bin", "absolute": str(outside), "link": "link.bin"}[how]
    with_external_data(folder / "model.onnx", location)
    with pytest.raises(ModelError, match=r"External data path|Absolute path") as caught:
        OnnxSession(folder / "model.onnx", device="cpu")
    assert "\n" not in str(caught.value)


def test_weights_in_the_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    with_external_data(tmp_path / "model.onnx", "weights.bin")
    session = OnnxSession(tmp_path / "model.onnx", device="cpu")
    assert session.run({"x": np.zeros(4, np.float32)})["y"].tolist() == [1, 1, 1, 1]
