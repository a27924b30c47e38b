"""Output never replaces what stands there unless it may, and is under its name only when it is whole."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks import Sink, make_sink
from tests.stream.sinks.recording import describe, write_frames

NAMES = ["out.mp4", "out.mkv", "out.gif", "out.jsonl", "out.csv"]
INFO = describe()


@pytest.mark.parametrize("name", NAMES)
def test_existing_output_is_refused_before_the_first_frame(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"mine")
    with pytest.raises(SinkError, match=rf"sink: {path} exists; pass --overwrite or choose another name"):
        make_sink(str(path)).open(INFO)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(name, b"mine")]


@pytest.mark.parametrize("name", NAMES)
def test_existing_output_stands_until_the_new_one_is_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"mine")
    sink = make_sink(str(path), overwrite=True)
    sink.open(INFO)
    write_frames(sink, INFO, [0, 512])
    assert path.read_bytes() == b"mine"
    sink.close()
    sink.close()
    assert path.read_bytes() != b"mine"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_without_frames_leaves_nothing(name: str, tmp_path: Path) -> None:
    sink = make_sink(str(tmp_path / name))
    sink.open(INFO)
    sink.close()
    sink.close()
    assert sink.paths() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*NAMES, "frames/"])
def test_closing_what_was_never_opened_does_nothing(name: str, tmp_path: Path) -> None:
    sink = make_sink(f"{tmp_path}/{name}")
    sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_crash_left_neither_blocks_nor_is_lost(name: str, tmp_path: Path) -> None:
    left = tmp_path / Path(name).with_suffix(f".partial{Path(name).suffix}")
    left.write_bytes(b"a recording")
    sink = make_sink(str(tmp_path / name))
    sink.open(INFO)
    write_frames(sink, INFO, [0])
    sink.close()
    assert left.read_bytes() == b"a recording"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, left.name])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_was_taken_meanwhile_is_not_replaced(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    sink = make_sink(str(path))
    sink.open(INFO)
    write_frames(sink, INFO, [0])
    path.write_bytes(b"another's")
    with pytest.raises(SinkError, match=r"exists; .*; the recording stands in .*partial"):
        sink.close()
    assert path.read_bytes() == b"another's"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", [*NAMES, "frames/"])
def test_missing_folders_are_made_also_with_names_beyond_ascii(name: str, tmp_path: Path) -> None:
    target = f"{tmp_path}/año nuevo/視頻/a:b %d {name}"
    sink = make_sink(target)
    sink.open(INFO)
    write_frames(sink, INFO, [0, 512])
    sink.close()
    assert sink.paths() == [target]
    assert Path(target).exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_relative_name_with_a_colon_is_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # libav would take "pipe" for one of its protocols.
    monkeypatch.chdir(tmp_path)
    sink = make_sink(f"pipe:{name}")
    sink.open(INFO)
    write_frames(sink, INFO, [0])
    sink.close()
    assert [p.name for p in tmp_path.iterdir()] == [f"pipe:{name}"]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_under_the_name_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    for overwrite in (False, True):
        with pytest.raises(SinkError, match="is a folder; give the name of a file"):
            make_sink(str(tmp_path / name), overwrite=overwrite).open(INFO)


@pytest.mark.parametrize("name", [*NAMES, "frames/"])
def test_a_file_in_the_place_of_a_folder_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SinkError, match="a part of the path is a file; choose another folder"):
        make_sink(f"{tmp_path}/taken/{name}").open(INFO)


UNPRIVILEGED = """
import os, sys
from stream.errors import SinkError
from stream.sinks import make_sink, sink_kinds
from tests.stream.sinks.recording import describe
sink_kinds()  # imported while the interpreter may still be read
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere
for target in sys.argv[1:]:
    try:
        make_sink(target).open(describe())
    except SinkError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of folders")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    (locked / "frames").mkdir(parents=True)
    for folder in (locked / "frames", locked):
        folder.chmod(0o555)
    # As many levels as the tests' own folder has: each worker of a parallel run has one more.
    for folder in takewhile(lambda folder: folder != Path(tempfile.gettempdir()), (tmp_path, *tmp_path.parents[:-1])):
        folder.chmod(0o755)
    targets = [f"{locked}/{name}" for name in [*NAMES, "frames/", "new/"]]
    command = [sys.executable, "-c", UNPRIVILEGED, *targets]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    mend = "it may not be written; choose a folder that you may write to"
    assert done.stdout.splitlines() == [f"sink: {target}: {mend}" for target in targets]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_a_full_disk_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A link: what the sink removes afterwards is the link, not the machine's device.
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    monkeypatch.setattr("stream.sinks.partial_file.PartialFile._create_partial", lambda _self: link)
    sink = make_sink(str(tmp_path / name))
    with pytest.raises(SinkError, match=r"the disk is full; free some space or write elsewhere$"):
        _open_and_write(sink)
    sink.close()
    assert list(tmp_path.iterdir()) == []


def _open_and_write(sink: Sink) -> None:
    sink.open(INFO)
    write_frames(sink, INFO, [0])
