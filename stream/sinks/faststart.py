"""A recording's fragments become one MP4 that plays while it still loads; used by the video sink when it closes.

Packets are copied as they are. The index (`moov`) comes first, so that a browser starts before it has the whole file.
"""

from __future__ import annotations

from pathlib import Path

import av


def mp4_timescales(ticks_per_second: int) -> dict[str, str]:
    """The options by which libav's MP4 muxer keeps time stamps to the tick, the time of the first frame included.

    Args:
        ticks_per_second: of the video track. The movie as a whole counts alike, because it says when each track
            begins, and would round that to milliseconds.
    """
    return {"video_track_timescale": str(ticks_per_second), "movie_timescale": str(ticks_per_second)}


def write_faststart(recorded: Path, whole: Path, *, timescale: int) -> None:
    """Write a fragmented MP4 anew in its final layout.

    Args:
        recorded: the fragmented file.
        whole: where the new file goes; written over.
        timescale: ticks a second of the video track; the one it was recorded with, so that nothing is rounded.

    Raises:
        av.FFmpegError, OSError: reading or writing failed; `whole` may be left broken.
    """
    layout = {"movflags": "faststart", **mp4_timescales(timescale)}
    with (
        av.open(str(recorded.absolute())) as source,
        av.open(str(whole.absolute()), "w", format="mp4", container_options=layout) as target,
    ):
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
