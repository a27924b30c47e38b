"""The public set is fetched as it is laid out there, from a server on this machine that holds the same layout."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from models.training.errors import TrainingError
from models.training.quickdraw_data import read_bitmaps
from models.training.quickdraw_download import CATEGORIES_32, QUICKDRAW_URL, download_quickdraw


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: the test's own output is enough."""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """What lies under the public address: ten drawings of two categories."""
    root = tmp_path / "remote"
    for folder in ("numpy_bitmap", "simplified", "raw"):
        (root / folder).mkdir(parents=True)
    for value, name in ((1, "cat"), (2, "sea turtle")):
        np.save(root / "numpy_bitmap" / f"{name}.npy", np.full((10, 784), value, np.uint8))
        lines = [json.dumps({"word": name, "drawing": [[[0, n], [0, 1]]]}) for n in range(10)]
        (root / "simplified" / f"{name}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def base_url(remote: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(remote)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_the_first_bitmaps_of_each_category_arrive(tmp_path: Path, base_url: str) -> None:
    told: list[tuple[str, int, int]] = []
    folder = download_quickdraw(
        tmp_path / "data",
        ["cat", "sea turtle"],
        drawings_per_category=4,
        base_url=base_url,
        on_file=lambda *words: told.append(words),
    )
    assert told == [("cat", 0, 2), ("sea turtle", 1, 2)]
    assert sorted(path.name for path in folder.iterdir()) == ["cat.npy", "sea turtle.npy"]
    turtles = read_bitmaps(folder / "sea turtle.npy")
    assert turtles.shape == (4, 28, 28)
    assert (turtles == 2).all()


def test_more_than_there_are_is_all_there_are(tmp_path: Path, base_url: str) -> None:
    folder = download_quickdraw(tmp_path, ["cat"], drawings_per_category=1000, base_url=base_url)
    assert len(read_bitmaps(folder / "cat.npy")) == 10


def test_strokes_arrive_line_by_line(tmp_path: Path, base_url: str) -> None:
    download_quickdraw(tmp_path, ["cat"], form="simplified", drawings_per_category=3, base_url=base_url)
    lines = (tmp_path / "cat.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["drawing"][0][0][1] for line in lines] == [0, 1, 2]


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    np.save(tmp_path / "cat.npy", np.full((1, 784), 9, np.uint8))
    download_quickdraw(tmp_path, ["cat"], base_url="http://127.0.0.1:1/nobody-listens")
    assert (read_bitmaps(tmp_path / "cat.npy") == 9).all()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("unicorn", None, "answered 404"),  # no such category
        ("torn", b"\x93NUMPY\x01\x00", "cannot be fetched"),  # ends within its header
        ("page", b"<html>please log in</html>", "cannot be fetched"),  # a portal answers in its place
    ],
)
def test_what_does_not_arrive_leaves_no_file(
    tmp_path: Path, remote: Path, base_url: str, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (remote / "numpy_bitmap" / f"{name}.npy").write_bytes(content)
    with pytest.raises(TrainingError, match=reason):
        download_quickdraw(tmp_path / "data", [name], base_url=base_url)
    assert not list((tmp_path / "data").glob("*.npy"))


def test_a_cut_line_is_noticed(tmp_path: Path, remote: Path, base_url: str) -> None:
    whole = remote / "numpy_bitmap" / "cat.npy"
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(TrainingError, match="expected 7840 bytes, got 7740"):
        download_quickdraw(tmp_path, ["cat"], base_url=base_url)
    assert not (tmp_path / "cat.npy").exists()


def test_nobody_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="check the network"):
        download_quickdraw(tmp_path, ["cat"], base_url="http://127.0.0.1:1")


def test_the_public_place_is_googles() -> None:
    assert QUICKDRAW_URL == "https://storage.googleapis.com/quickdraw_dataset/full"
    assert len(set(CATEGORIES_32)) == 32
