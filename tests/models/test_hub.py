"""The true way of a download, against a stand-in hub: a process of its own, with the hub's own variables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models.hub_stand_in import COMMIT, Hub, serving

ROOT = Path(__file__).parent.parent.parent
WEIGHTS = bytes(range(256)) * 8192  # 2 MiB
PROGRAM = """
import sys
from models import hub
from models.errors import ModelError
try:
    fetched = getattr(hub, sys.argv[1])(sys.argv[2], **({"renew": True} if sys.argv[3:] else {}))
    print(fetched.remark)
    print(fetched.folder)
except ModelError as error:
    sys.exit(f"ModelError: {error}")
"""

Fetch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {"config.json": b"{}", "model.safetensors": WEIGHTS, "weights.pkl": b"no", "onnx/model.onnx": b"graph"}
    with serving(Hub({f"owner/tiny/{name}": content for name, content in files.items()})) as hub:
        yield hub


@pytest.fixture
def fetch(tmp_path: Path, hub: Hub) -> Fetch:
    def call(
        repository: str = "owner/tiny", how: str = "fetch_checkpoint", *, renew: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": str(ROOT)}
        variables |= {"MIRILLA_HOME": str(tmp_path / "home"), "NO_PROXY": "*", "PATH": "/usr/bin:/bin"}
        variables |= {"HF_HUB_DISABLE_TELEMETRY": "1"}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, how, repository, *(["renew"] if renew else [])],
            capture_output=True, text=True, timeout=60, env=variables | environment, check=False,
        )  # fmt: skip

    return call


def folder_of(result: subprocess.CompletedProcess[str]) -> Path:
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.strip().splitlines()[-1])


def complaint_of(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stdout
    lines = [line for line in result.stderr.splitlines() if line.startswith("ModelError: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_checkpoint_is_fetched_once(fetch: Fetch, hub: Hub) -> None:
    folder = folder_of(fetch())
    assert names_in(folder) == {"config.json", "model.safetensors"}  # no pickle where there is no need
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert folder.name == COMMIT
    downloads = len(hub.ranges)
    assert folder_of(fetch()) == folder
    assert len(hub.ranges) == downloads


def test_a_pickle_is_fetched_only_where_there_is_nothing_else(fetch: Fetch, hub: Hub) -> None:
    hub.files["owner/old/config.json"] = b"{}"
    hub.files["owner/old/pytorch_model.bin"] = b"pickled"
    assert names_in(folder_of(fetch("owner/old"))) == {"config.json", "pytorch_model.bin"}


def test_a_ready_onnx_repository(fetch: Fetch) -> None:
    assert names_in(folder_of(fetch(how="fetch_onnx"))) == {"config.json", "onnx/model.onnx"}


def test_a_cut_download_is_resumed(fetch: Fetch, hub: Hub) -> None:
    # The hub's client writes to disk by 10 MiB.
    weights = WEIGHTS * 12
    hub.files["owner/tiny/model.safetensors"] = weights
    hub.cut_after["owner/tiny/model.safetensors"] = 13 << 20
    folder = folder_of(fetch())
    assert (folder / "model.safetensors").read_bytes() == weights
    assert f"bytes={10 << 20}-" in hub.ranges


def test_a_download_that_keeps_breaking_off_is_one_line(fetch: Fetch, hub: Hub) -> None:
    hub.always_cut = 1
    assert "cannot be reached" in complaint_of(fetch())


def test_a_wrong_checksum_is_refused_and_not_kept(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    hub.announced["owner/tiny/model.safetensors"] = "0" * 64
    assert "model.safetensors does not have the checksum" in complaint_of(fetch())
    assert not (tmp_path / "home" / "revisions.json").exists()
    hub.announced.clear()
    assert (folder_of(fetch()) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_small_file_is_verified_too(fetch: Fetch, hub: Hub) -> None:
    hub.announced["owner/tiny/config.json"] = "0" * 40
    assert "config.json does not have the checksum" in complaint_of(fetch())


def test_a_branch_that_moves_is_taken_where_it_was(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    first = fetch()
    assert f"owner/tiny at commit {COMMIT}, which 'main' is now" in first.stdout
    hub.past[COMMIT] = dict(hub.files)
    hub.head = "f" * 40
    hub.files["owner/tiny/config.json"] = b'{"new": 1}'
    again = fetch()
    assert f"owner/tiny at commit {COMMIT}, which 'main' was at the first download" in again.stdout
    assert folder_of(again) == folder_of(first)
    # Elsewhere, with an empty cache, the file alone is enough.
    elsewhere = folder_of(fetch(HF_HOME=str(tmp_path / "other")))
    assert (elsewhere / "config.json").read_bytes() == b"{}"
    # Until the user wants today's.
    renewed = fetch(renew=True)
    assert (folder_of(renewed) / "config.json").read_bytes() == b'{"new": 1}'
    assert folder_of(fetch()).name == "f" * 40


def test_a_branch_that_moves_while_it_is_fetched_gives_one_commit(fetch: Fetch, hub: Hub) -> None:
    # Pickles are asked for after the rest.
    hub.files |= {"owner/old/config.json": b"{}", "owner/old/pytorch_model.bin": b"pickled"}
    folder = folder_of(fetch("owner/old"))
    asked = [path.split("/revision/")[1] for path in hub.requests if "/api/models/owner/old/revision/" in path]
    assert asked == ["main", folder.name]


def test_a_commit_that_is_gone_is_said_with_where_it_came_from(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    fetch()
    hub.gone.add(COMMIT)
    line = complaint_of(fetch(HF_HOME=str(tmp_path / "other")))
    assert f"has no revision '{COMMIT}'" in line
    assert f"{tmp_path / 'home' / 'revisions.json'} has it from an earlier download; delete its line there" in line


def test_a_repository_without_weights_says_so(fetch: Fetch, hub: Hub) -> None:
    hub.files["owner/empty/config.json"] = b"{}"
    assert "owner/empty: has no weights at commit" in complaint_of(fetch("owner/empty"))


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "GatedRepo", "the hub wants an agreement first"),
        (403, "GatedRepo", "the hub wants an agreement first"),
        # The hub says 401 of what it does not want to be asked for.
        (401, "", "knows no such repository, or it is private"),
        (404, "RepoNotFound", "knows no such repository, or it is private"),
        (404, "RevisionNotFound", "has no revision 'main'"),
        (503, "", "cannot be reached"),
    ],
)
def test_what_the_hub_refuses_is_one_line(fetch: Fetch, hub: Hub, status: int, code: str, message: str) -> None:
    hub.status["owner/tiny"] = (status, code)
    assert message in complaint_of(fetch())


def test_no_hub_is_one_line_with_two_ways_out(fetch: Fetch) -> None:
    said = complaint_of(fetch(HF_ENDPOINT="http://127.0.0.1:9"))
    assert "the hub cannot be reached" in said
    assert said.endswith("give a folder with the checkpoint, or a ready package")


def test_offline_takes_the_cache_and_asks_nobody(fetch: Fetch, hub: Hub) -> None:
    assert "HF_HUB_OFFLINE is set" in complaint_of(fetch(HF_HUB_OFFLINE="1"))
    folder = folder_of(fetch())
    asked = len(hub.requests)
    assert folder_of(fetch(HF_HUB_OFFLINE="1")) == folder
    assert len(hub.requests) == asked
    # Out of reach is no reason to stop either, once the cache has it.
    assert folder_of(fetch(HF_ENDPOINT="http://127.0.0.1:9")) == folder


def test_what_is_no_id_is_said(fetch: Fetch) -> None:
    assert "is neither a folder nor an id of the hub" in complaint_of(fetch("owner/tiny/more"))
