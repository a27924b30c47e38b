"""The zoo's entries, and packages that are found by a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import ModelError
from models.hub_revisions import is_commit
from models.package import bundled_names, find_package
from models.zoo import exported_names, packages_folder, zoo

MakePackage = Callable[..., Path]


def test_every_entry_is_whole_and_no_bundled_name_hides_one() -> None:
    # The course notes' models and today's small ones.
    expected = {"detr-resnet-50", "yolos-tiny", "yolos-small", "rt-detr-v2-r18", "d-fine-nano", "d-fine-small"}
    expected |= {"segformer-b0-ade", "deeplabv3-mobilevit-small", "vit-base", "deit-base", "resnet-50"}
    expected |= {"sam-vit-base", "slim-sam", "clip-base-32", "dpt-large", "vitpose-base", "quickdraw"}
    expected |= {"depth-anything-v2-small", "glpn-nyu"}
    assert set(zoo()) == expected
    assert not set(zoo()) & set(bundled_names())


def test_entries_name_a_commit_but_for_those_whose_commit_nobody_knows() -> None:
    on_branches = {name for name, entry in zoo().items() if not is_commit(entry.revision)}
    assert on_branches == {"quickdraw", "depth-anything-v2-small", "glpn-nyu"}
    # No commit stands under two models.
    commits = [entry.revision for name, entry in zoo().items() if name not in on_branches]
    assert len(set(commits)) == len(commits)


def test_a_zoo_name_that_is_not_here_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRILLA_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="in the zoo, and not here yet: mirilla export yolos-tiny"):
        find_package("yolos-tiny")
    with pytest.raises(ModelError, match="did you mean 'yolos-tiny'"):
        find_package("yolos-tinny")


def test_an_exported_package_is_found_by_name(
    make_package: MakePackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRILLA_HOME", str(tmp_path / "home"))
    package = make_package("yolos-tiny")
    packages_folder().mkdir(parents=True)
    package.replace(packages_folder() / "yolos-tiny")
    (packages_folder() / ".half.partial").mkdir()
    (packages_folder() / ".half.partial" / "manifest.json").touch()
    assert exported_names() == ["yolos-tiny"]
    assert find_package("yolos-tiny").origin == "yolos-tiny"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"MIRILLA_HOME": "/a/home"}, "/a/home/packages"),
        ({"XDG_CACHE_HOME": "/a/cache"}, "/a/cache/mirilla/packages"),
        ({"HOME": "/a/user"}, "/a/user/.cache/mirilla/packages"),
    ],
)
def test_where_packages_lie(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("MIRILLA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert packages_folder() == Path(expected)
