"""The file of commits that branches named when they were first fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ModelError
from models.hub_revisions import is_commit, known_commit, remember_commit, revisions_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRILLA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_was_kept_is_known_again(home: Path) -> None:
    assert known_commit("owner/tiny", "main") is None
    remember_commit("owner/tiny", "main", "a" * 40)
    remember_commit("owner/tiny", "no_timm", "b" * 40)
    remember_commit("owner/tiny", "main", "c" * 40)
    assert known_commit("owner/tiny", "main") == "c" * 40
    assert known_commit("owner/tiny", "no_timm") == "b" * 40
    assert known_commit("owner/other", "main") is None
    assert [path.name for path in home.iterdir()] == ["revisions.json"]  # no halves


@pytest.mark.parametrize(
    ("revision", "expected"),
    [("a" * 40, True), ("main", False), ("3f49326", False), ("A" * 40, False), ("g" * 40, False)],
)
def test_what_a_commit_is(revision: str, expected: bool) -> None:
    assert is_commit(revision) == expected


@pytest.mark.parametrize("content", ["{", "[]", '{"owner/tiny@main": 1}'])
def test_a_damaged_file_is_one_line(home: Path, content: str) -> None:
    home.mkdir()
    revisions_file().write_text(content)
    with pytest.raises(ModelError, match=r"revisions\.json: .*delete it") as caught:
        known_commit("owner/tiny", "main")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_written_is_one_line(home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"revisions\.json.*cannot be"):
        remember_commit("owner/tiny", "main", "a" * 40)
