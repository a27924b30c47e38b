"""Where a model lies and what it is: a package folder, a transformers ONNX folder, or a single `.onnx` file.

Called once a model, before the first frame.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.manifest import MANIFEST_NAME, MODEL_NAME, Manifest, file_sha256, read_manifest
from models.transformers_package import is_transformers_folder, read_transformers_folder
from models.ultralytics_package import read_ultralytics_file
from models.zoo import exported_names, packages_folder, zoo

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True, slots=True)
class Package:
    """A model that was found and whose papers are in order.

    Attributes:
        manifest: read from the package, or derived from another maker's metadata.
        model_path: the `.onnx` file.
        origin: the package as the user should see it: `quickdraw-32` or a path.
    """

    manifest: Manifest
    model_path: Path
    origin: str


def bundled_names() -> list[str]:
    """The names of the packages that come with Mirilla."""
    return sorted(folder.name for folder in BUNDLED.iterdir() if (folder / MANIFEST_NAME).is_file())


def find_package(spec: str | Path, *, unverified: bool = False) -> Package:
    """The package that a bundled or exported name, a folder or a file means.

    Args:
        spec: what the user wrote; a name comes before a folder that is called so: then write ./NAME.
        unverified: take a package also where its checksum or its parity says no.

    Raises:
        ModelError: there is none, or it is damaged; names what and says what to do.
    """
    path = Path(spec).expanduser()
    if str(spec) in bundled_names():
        return _own_package(BUNDLED / str(spec), str(spec), unverified=unverified)
    if str(spec) in exported_names():
        path = packages_folder() / str(spec)
    if path.is_dir():
        if (path / MANIFEST_NAME).is_file():
            return _own_package(path, str(spec), unverified=unverified)
        if is_transformers_folder(path):
            return Package(*read_transformers_folder(path), str(spec))
        if (single := path / f"{path.name}.onnx").is_file():
            return Package(read_ultralytics_file(single), single, str(spec))
        raise ModelError(
            f"model: {str(spec)!r} holds neither {MANIFEST_NAME} nor config.json with an ONNX model; "
            "give a folder that does"
        )
    if path.is_file():
        if path.suffix == ".onnx" and (path.parent / MANIFEST_NAME).is_file() and path.name == MODEL_NAME:
            return _own_package(path.parent, str(path), unverified=unverified)
        return Package(read_ultralytics_file(path), path, str(path))
    if str(spec) in zoo():
        raise ModelError(f"model: {str(spec)!r} is in the zoo, and not here yet: mirilla export {spec}")
    names = [*bundled_names(), *exported_names(), *zoo()]
    close = difflib.get_close_matches(str(spec), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"bundled are {', '.join(bundled_names())}"
    raise ModelError(f"model: {str(spec)!r} is neither a bundled model nor a file or folder; {hint}")


def _own_package(folder: Path, origin: str, *, unverified: bool) -> Package:
    manifest = read_manifest(folder)
    model_path = folder / MODEL_NAME
    if not model_path.is_file():
        raise ModelError(f"model: {origin}: {MODEL_NAME} is missing from {folder}; copy the whole folder again")
    if not model_path.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"model: {origin}: {MODEL_NAME} leads out of {folder}; copy the file itself there")
    if unverified:
        return Package(manifest, model_path, origin)
    if manifest.sha256 != file_sha256(model_path):
        raise ModelError(f"model: {origin}: {MODEL_NAME} does not have the sha256 of its manifest; copy it again")
    for name, sha256 in manifest.further_files.items():
        if not (folder / name).is_file() or file_sha256(folder / name) != sha256:
            raise ModelError(f"model: {origin}: {name} is missing or does not have its sha256; copy the folder again")
    if manifest.parity is None or not manifest.parity.passed:
        raise ModelError(
            f"model: {origin}: did not pass its parity check against PyTorch when it was exported; export it again, "
            "or pass --unverified to run it all the same"
        )
    return Package(manifest, model_path, origin)
