"""A run whose configuration is edited, from the command line: SIGHUP, and a terminal that is closed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.package import BUNDLED
from tests.end_to_end.ffprobe import frame_times
from tests.end_to_end.pages import ROOT

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="SIGHUP is a signal of POSIX systems")

PATIENCE_SECONDS = 60
STREAM = "source: 'pattern:64x48@30x100000', realtime: true"


@contextmanager
def running(folder: Path, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """`mirilla run` of the folder's configuration; killed in the end where it still runs."""
    command = [sys.executable, "-m", "stream", "run", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, f"not so within {PATIENCE_SECONDS} s"
        time.sleep(0.02)


def test_sighup_has_the_configuration_read_again(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"streams: {{cam: {{{STREAM}, sinks: [seen.jsonl]}}}}")
    with running(tmp_path, "--log", "json", "--report", "report.json", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None

        def next_event(*wanted: str) -> dict[str, Any]:
            for line in process.stderr or ():
                event: dict[str, Any] = json.loads(line)
                if event["event"] in wanted:
                    return event
            pytest.fail(f"none of {wanted} came")

        next_event("start")
        config.write_text(f"streams: {{cam: {{{STREAM}, models: ./sketch, sinks: [seen.jsonl]}}}}")
        refused = next_event("change_refused")
        assert "'./sketch' is neither a bundled model nor a file or folder" in refused["message"]
        # What was missing is there now, and nothing in the file is new: nobody but the signal can tell.
        shutil.copytree(BUNDLED / "quickdraw-32", tmp_path / "sketch")
        process.send_signal(signal.SIGHUP)
        changed = next_event("changed", "change_refused")
        assert (changed["event"], changed["stream"], changed["changed"]) == ("changed", "cam", ["models"])
        assert list(changed["models"]) == ["quickdraw-32"]
        until(lambda: '"quickdraw-32"' in (tmp_path / "seen.partial.jsonl").read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["models"]["quickdraw-32"]["package"] == "./sketch"
    assert report["frames"]["inferred"]["quickdraw-32"] > 0


def test_a_terminal_that_is_closed_ends_the_run_and_its_files_are_whole(tmp_path: Path, ffprobe: Path) -> None:  # noqa: ARG001 - judges
    (tmp_path / "config.yaml").write_text(f"streams: {{cam: {{{STREAM}, sinks: [seen.mp4, seen.jsonl]}}}}")
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with running(
        tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=take_terminal
    ) as process:
        os.close(theirs)
        written = tmp_path / "seen.partial.jsonl"
        until(lambda: written.exists() and written.read_bytes().count(b"\n") > 5)
        os.close(ours)
        process.wait(PATIENCE_SECONDS)
    lines = (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(frame_times(tmp_path / "seen.mp4")) == len(lines) > 5
    assert not list(tmp_path.glob("*partial*"))
