"""`mirilla run` with `web` among its sinks: a page beside a file, in a real browser."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from stream.sources.pattern import read_pattern_index
from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import frame_times
from tests.end_to_end.pages import ROOT, free_port, grabbed, index_shown, wait_for

CONFIG = """
streams:
  bars:
    source: pattern:320x240@15x100000
    sinks: [web, bars.mp4]
    overlay: {{hud: false}}
web: {{port: {port}}}
"""


def test_a_run_is_watched_while_it_writes_a_file_and_ctrl_c_ends_both(
    tmp_path: Path,
    page: Page,
    ffprobe: Path,  # noqa: ARG001 - frame_times runs it
) -> None:
    port = free_port()
    (tmp_path / "config.yaml").write_text(CONFIG.format(port=port), encoding="utf-8")
    command = [sys.executable, "-m", "stream", "run", "--report", "report.json"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == f"open http://127.0.0.1:{port}/ (Ctrl-C ends)\n"
            page.goto(f"http://127.0.0.1:{port}/")
            wait_for(page, "live")
            first = index_shown(page)
            # At the pattern's own speed: it goes on, and has not run ahead.
            page.wait_for_timeout(1000)
            later = read_pattern_index(grabbed(page))
            assert later is not None
            assert first < later < first + 60
            run.send_signal(signal.SIGINT)
            assert run.wait(timeout=10) == 0
        finally:
            run.kill()
    frames = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["frames"]
    assert frames["captured"] == frames["written"] > later
    assert frames["dropped"] == {}
    assert len(frame_times(tmp_path / "bars.mp4")) == frames["written"]


def test_a_stream_stands_on_the_page_once(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "pattern", "--model", "none", "--sink", "web", "--sink", "web")
    assert result.returncode == 2
    assert result.stderr.strip().splitlines() == [
        "mirilla: config: streams.pattern.sinks: 'web' stands there 2 times; once is enough"
    ]
