"""A peer of another make: GStreamer's webrtcbin, in the system's Python, where Debian's bindings are.

    /usr/bin/python3 tests/stream/web/gstreamer_peer.py (watch|send) URL [--codec VP8] [--size 321x241]

Watching, it decodes; sending, it shows a test picture. Prints `connected` when it is, and a line of JSON about what it
received when standard input is closed.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - versions come first

CAPS = {
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "H264": "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1,"
    "profile-level-id=(string)42e01f",
}
ENCODERS = {
    "VP8": "vp8enc deadline=1 ! rtpvp8pay",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast ! video/x-h264,profile=constrained-baseline "
    "! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
DECODERS = {"VP8": "rtpvp8depay ! vp8dec", "H264": "rtph264depay ! avdec_h264"}
SENDING = (
    "webrtcbin name=peer bundle-policy=max-bundle videotestsrc is-live=true pattern={pattern} "
    "! video/x-raw,width={width},height={height},framerate=15/1 ! videoconvert ! {encoder} pt=96 "
    "! application/x-rtp,media=video,encoding-name={codec},payload=96 ! peer."
)


class Peer:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.session: str | None = None
        self.codec: str | None = None
        self.sizes: set[tuple[int, int]] = set()
        self.frames = 0
        if options.way == "send":
            width, height = options.size.split("x")
            words = {"width": width, "height": height, "pattern": "white"}
            description = SENDING.format(encoder=ENCODERS[options.codec], codec=options.codec, **words)
            self.pipeline = Gst.parse_launch(description)
            self.peer = self.pipeline.get_by_name("peer")
            # webrtcbin offers to receive, too, where nothing else is said.
            self.peer.emit("get-transceiver", 0).set_property(
                "direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            )
        else:
            self.pipeline = Gst.Pipeline()
            self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
            self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
            self.peer.emit(
                "add-transceiver",
                GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                Gst.Caps.from_string(CAPS[options.codec]),
            )
        self.peer.connect("on-negotiation-needed", self.offer)
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        self.peer.connect("notify::connection-state", self.changed)
        self.peer.connect("pad-added", self.received)

    def offer(self, _: Gst.Element) -> None:
        def made(promise: Gst.Promise, *_: Any) -> None:
            # The reply owns the offer.
            reply = promise.get_reply()
            self.peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))

    def gathered(self, *_: Any) -> None:
        if self.peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        offer = self.peer.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.options.url, offer.encode(), {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=10) as response:
            self.session = response.headers["Location"]
            text = response.read().decode()
        self.codec = next(line for line in text.splitlines() if line.startswith("a=rtpmap:")).split()[1].split("/")[0]
        _, message = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())

    def changed(self, *_: Any) -> None:
        if self.peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            say("connected")

    def received(self, _: Gst.Element, pad: Gst.Pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        words = f"{DECODERS[self.options.codec]} ! fakesink name=sink signal-handoffs=true async=false sync=false"
        decoder = Gst.parse_bin_from_description(words, True)
        decoder.get_by_name("sink").connect("handoff", self.count)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def count(self, _: Gst.Element, __: Gst.Buffer, pad: Gst.Pad) -> None:
        structure = pad.get_current_caps().get_structure(0)
        self.sizes.add((structure.get_int("width")[1], structure.get_int("height")[1]))
        self.frames += 1


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=("watch", "send"))
    parser.add_argument("url")
    parser.add_argument("--codec", default="H264", choices=CAPS)
    parser.add_argument("--size", default="320x240")
    Gst.init(None)
    peer = Peer(parser.parse_args())
    loop = GLib.MainLoop()

    def until_told() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=until_told, daemon=True).start()
    peer.pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    if peer.session is not None:
        base = "/".join(peer.options.url.split("/")[:3])
        urllib.request.urlopen(urllib.request.Request(base + peer.session, method="DELETE"), timeout=10)
    peer.pipeline.set_state(Gst.State.NULL)
    say(json.dumps({"codec": peer.codec, "frames": peer.frames, "sizes": sorted(peer.sizes)}))


if __name__ == "__main__":
    main()
