"""GStreamer's webrtcbin, which shares no line of code with aiortc or Chromium, watches and sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stream.web.conftest import PATTERN, Serve, peer_process, wait_until

SCRIPT = str(Path(__file__).with_name("gstreamer_peer.py"))
STREAMS: dict[str, Any] = {"pattern": {"source": PATTERN}, "pushed": {"source": "whip"}}


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_it_watches_in_the_codec_that_the_answer_names(serve: Serve, gstreamer_python: Path, codec: str) -> None:
    client = serve(**STREAMS)
    url = f"{client.url}/whep/pattern"
    with peer_process(str(gstreamer_python), SCRIPT, "watch", url, "--codec", codec) as viewer:
        track = next(iter(client.now.hub.viewers)).track
        wait_until(lambda: track.sent > 40)
        received = viewer.leave()
    # Its decoder knows no other than the one that it has offered.
    assert received["codec"] == codec
    assert received["sizes"] == [[160, 120]]
    assert received["frames"] > 10
    wait_until(lambda: len(client.now.hub.viewers) == 0)


@pytest.mark.parametrize(("codec", "size"), [("H264", "322x242"), ("VP8", "321x241")])
def test_it_sends(serve: Serve, gstreamer_python: Path, codec: str, size: str) -> None:
    client = serve(**STREAMS)
    url = f"{client.url}/whip/pushed"
    with peer_process(str(gstreamer_python), SCRIPT, "send", url, "--codec", codec, "--size", size) as sender:
        wait_until(lambda: client.streams()[1]["figures"]["captured"] > 10)
        stream = client.streams()[1]
        assert f"{stream['width']}x{stream['height']}" == size
        assert sender.leave()["codec"] == codec
    wait_until(lambda: client.streams()[1]["state"] == "unpublished")
