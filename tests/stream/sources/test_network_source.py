"""What the network source does with its connections: scripted ones, a scripted clock, scripted chance."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources.loss import LostError
from stream.sources.network import NetworkSource
from stream.sources.network_connection import Arrival
from stream.sources.network_stream import StreamFacts
from stream.sources.source import SourceOptions

ADDRESS = "rtsp://admin:secret@cam.local/live"
TB = Fraction(1, 1000)
LIVE = StreamFacts(
    is_live=True,
    time_base=TB,
    has_clock=True,
    rate=Fraction(25),
    frame_count=None,
    sample_aspect=None,
)
RECORDED = StreamFacts(
    is_live=False,
    time_base=TB,
    has_clock=True,
    rate=Fraction(25),
    frame_count=4,
    sample_aspect=None,
)
BROKE = LostError("broke off (scripted)", "check the camera")
ENDED = LostError("ended", "check that it still serves", is_end=True)
S = 1_000_000_000


class Clock:
    """Goes on only where a test or a wait moves it."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.waits: list[float] = []

    def __call__(self) -> int:
        return self.now_ns

    def wait(self, seconds: float) -> bool:
        """A source's wait between attempts: time passes, and nobody closes the source."""
        self.waits.append(seconds)
        self.now_ns += round(seconds * S)
        return False


def arrival(number: int, pts: int | None, at_s: float, size_wh: tuple[int, int] = (8, 6)) -> Arrival:
    """A picture whose grey level is its number."""
    picture = av.VideoFrame.from_ndarray(np.full((size_wh[1], size_wh[0], 3), number, np.uint8), "bgr24")
    picture.pts = pts
    return Arrival(picture, number, round(at_s * S))


class ScriptedLink:
    """Gives what it was given, in order; what it raises last it raises for ever."""

    def __init__(self, script: Sequence[Arrival | LostError], facts: StreamFacts | None = LIVE) -> None:
        self.facts = facts
        self.timeouts: list[float] = []
        self.is_left = False
        self._script = list(script)

    def take(self, timeout_seconds: float) -> Arrival | None:
        self.timeouts.append(timeout_seconds)
        if self.is_left:
            return None
        step = self._script[0] if len(self._script) == 1 else self._script.pop(0)
        if isinstance(step, LostError):
            raise step
        return step

    def leave(self) -> None:
        self.is_left = True


class Network:
    """Hands out connections in order, the last one again and again, and remembers what was asked for."""

    def __init__(self, *links: ScriptedLink) -> None:
        self.links = links
        self.resumed: list[int | None] = []

    def connect(self, address: str, options: SourceOptions, resume_after: int | None) -> ScriptedLink:
        assert address == ADDRESS
        assert options.rtsp_transport == "tcp"
        link = self.links[min(len(self.resumed), len(self.links) - 1)]
        self.resumed.append(resume_after)
        link.is_left = False
        return link


def opened(network: Network, clock: Clock, reconnect: int | None = None) -> NetworkSource:
    options = SourceOptions(reconnect=reconnect, connect_seconds=7, lost_after_seconds=3)
    return NetworkSource(ADDRESS, options, connect=network.connect, clock_ns=clock, chance=lambda: 1.0, wait=clock.wait)


def first(source: NetworkSource, count: int) -> list[Frame]:
    return list(itertools.islice(source, count))


def test_what_a_live_source_says_of_itself() -> None:
    link = ScriptedLink([arrival(0, 40, 0)])
    info = opened(Network(link), Clock()).info
    assert (info.name, info.width, info.height, info.rate) == ("cam.local-live", 8, 6, Fraction(25))
    assert (info.is_live, info.time_base, info.frame_count, info.audio) == (True, TB, None, None)
    # the first picture may take as long as connecting, every other one as long as a stall
    assert link.timeouts == [7]


def test_a_lost_camera_comes_back_and_the_gap_is_as_long_as_it_was() -> None:
    clock = Clock()
    network = Network(
        ScriptedLink([arrival(0, 1000, 0), arrival(1, 3000, 2), BROKE]),
        ScriptedLink([LostError("refuses the connection", "x")]),
        ScriptedLink([LostError("refuses the connection", "x")]),
        ScriptedLink([arrival(0, 77, 4.5), arrival(1, 327, 4.75), BROKE]),
        ScriptedLink([arrival(0, 5, 6.75), arrival(1, 45, 6.79), ENDED]),
    )
    source = opened(network, clock)
    frames = first(source, 6)
    assert [frame.pts for frame in frames] == [1000, 3000, 5500, 5750, 7750, 7790]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [frame.captured_at_ns for frame in frames[1:3]] == [2_000_000_000, 4_500_000_000]
    # a wait before each attempt, and from the beginning after each loss; the last but one lived for 1/4 s only
    assert clock.waits == [0.25, 0.375, 0.5625, 0.75]
    assert all(link.is_left for link in network.links)
    # the first one came at once, so that attempts are soon given up
    assert [link.timeouts[0] for link in network.links] == [7, 2, 2, 2, 2]
    # live material does not go back for what was missed
    assert network.resumed == [None] * 5


@pytest.mark.parametrize(
    ("lost", "longest"),
    [
        # Who refuses is left alone for longer and longer.
        (LostError("refuses the connection", "x"), 30.0),
        # Who is there and says nothing may go on at any moment.
        (LostError.silent(2.0), 1.0),
    ],
    ids=["refuses", "silent"],
)
def test_a_frozen_server_is_listened_to_more_than_it_is_left_alone(lost: LostError, longest: float) -> None:
    clock = Clock()
    network = Network(ScriptedLink([arrival(0, 0, 0), BROKE]), ScriptedLink([lost]))
    with pytest.raises(SourceError):
        list(opened(network, clock, reconnect=20))
    assert clock.waits[-1] == longest
    # They grow, but for the first, which is longer after so short a life.
    assert clock.waits[1:] == sorted(clock.waits[1:])


def test_the_status_says_what_is_going_on() -> None:
    clock = Clock()
    network = Network(
        ScriptedLink([arrival(0, 0, 1.0), BROKE]), ScriptedLink([BROKE]), ScriptedLink([arrival(0, 0, 4.5), BROKE])
    )
    source = opened(network, clock)
    seen = []

    def wait(seconds: float) -> bool:
        clock.wait(seconds)
        clock.now_ns += S
        seen.append(source.status)
        return False

    source._wait = wait
    clock.now_ns = S
    frames = iter(source)
    next(frames)
    assert (source.status.is_connected, source.status.last_frame_ns, source.status.lost_ns) == (True, S, 0)
    next(frames)
    assert [(status.is_connected, status.attempt, status.last_frame_ns) for status in seen] == [
        (False, 1, S),
        (False, 2, S),
    ]
    # 2 s after the last picture, then 3.375 s: it grows while it lasts
    assert [status.lost_ns for status in seen] == [2_000_000_000, 3_375_000_000]
    status = source.status
    assert (status.is_connected, status.attempt, status.reconnects, status.lost_ns) == (True, 0, 1, 3_500_000_000)
    assert status.last_frame_ns == 4_500_000_000


@pytest.mark.parametrize(
    ("reconnect", "attempts", "message"),
    [
        (0, 0, "'rtsp://***@cam.local/live' broke off (scripted) after 2 frames; check the camera"),
        (
            3,
            3,
            "'rtsp://***@cam.local/live' refuses the connection after 2 frames, and did not come back in 3 attempts; x",
        ),
    ],
)
def test_the_attempts_can_be_limited(reconnect: int, attempts: int, message: str) -> None:
    clock = Clock()
    network = Network(
        ScriptedLink([arrival(0, 0, 0), arrival(1, 40, 0.04), BROKE]),
        ScriptedLink([LostError("refuses the connection", "x")]),
    )
    source = opened(network, clock, reconnect)
    with pytest.raises(SourceError) as caught:
        list(source)
    assert str(caught.value) == f"source: {message}"
    assert len(clock.waits) == attempts


def test_the_attempts_are_counted_anew_after_each_picture() -> None:
    failing = ScriptedLink([BROKE])
    network = Network(
        ScriptedLink([arrival(0, 0, 0), BROKE]),
        failing,
        ScriptedLink([arrival(0, 0, 1), BROKE]),
        failing,
        ScriptedLink([arrival(0, 0, 2), BROKE]),
    )
    assert len(first(opened(network, Clock(), reconnect=2), 3)) == 3


def test_what_is_wrong_before_the_first_picture_is_said_at_once() -> None:
    clock = Clock()
    link = ScriptedLink([LostError("refuses the connection", "check the port")])
    with pytest.raises(SourceError, match="refuses the connection; check the port") as caught:
        opened(Network(link), clock)
    assert link.is_left
    assert "secret" not in str(caught.value)
    assert clock.waits == []


def test_another_size_is_fitted_into_the_first_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    network = Network(
        ScriptedLink([arrival(0, 0, 0, (8, 6)), BROKE]),
        # upright instead of lying: bars to the left and right
        ScriptedLink([arrival(9, 0, 1, (3, 6)), arrival(9, 40, 1, (3, 6)), BROKE]),
    )
    with caplog.at_level(logging.WARNING):
        frames = first(opened(network, Clock()), 3)
    assert {frame.size_wh for frame in frames} == {(8, 6)}
    row = frames[1].image[3, :, 0].tolist()
    assert row == [0, 0, 9, 9, 9, 0, 0, 0]
    assert [record.getMessage() for record in caplog.records] == [
        "rtsp://***@cam.local/live: broke off (scripted); reconnecting",
        "rtsp://***@cam.local/live: back after 1.0 s",
        "rtsp://***@cam.local/live: pictures are now 3x6; they are fitted into 8x6",
    ]


def test_pictures_that_newer_ones_superseded_leave_a_gap_in_the_numbers() -> None:
    network = Network(
        ScriptedLink([arrival(0, 0, 0), arrival(4, 160, 0.16), BROKE]), ScriptedLink([arrival(2, 0, 1), BROKE])
    )
    source = opened(network, Clock())
    assert [frame.index for frame in first(source, 3)] == [0, 4, 7]
    assert source.status.superseded == 5


def test_a_stream_without_a_clock_is_timed_by_its_arrivals() -> None:
    facts = StreamFacts(
        is_live=True,
        time_base=Fraction(1, 25),
        has_clock=False,
        rate=None,
        frame_count=None,
        sample_aspect=None,
    )
    # libav counts pictures at 25 a second, whatever the camera does
    link = ScriptedLink([arrival(0, 0, 5.0), arrival(1, 1, 5.2), arrival(2, 2, 5.9), BROKE], facts)
    source = opened(Network(link), Clock())
    assert [frame.pts_seconds for frame in first(source, 3)] == pytest.approx([0, 0.2, 0.9])
    assert source.info.rate is None


def test_a_playlist_that_has_got_an_end_ends_the_stream() -> None:
    network = Network(ScriptedLink([arrival(0, 0, 0), ENDED]), ScriptedLink([arrival(0, 0, 1)], RECORDED))
    source = opened(network, Clock())
    assert len(list(source)) == 1
    assert network.links[1].is_left


def test_recorded_material_ends_where_it_ends() -> None:
    source = opened(Network(ScriptedLink([arrival(0, 0, 0), arrival(1, 40, 9), ENDED], RECORDED)), Clock())
    assert [frame.pts for frame in source] == [0, 40]
    assert (source.info.is_live, source.info.frame_count) == (False, 4)
    assert source.status.reconnects == 0


def test_recorded_material_goes_on_after_the_picture_that_was_had_last() -> None:
    network = Network(
        ScriptedLink([arrival(0, 0, 0), arrival(1, 40, 0.1), BROKE], RECORDED),
        ScriptedLink([arrival(0, 80, 5), arrival(1, 120, 5), ENDED], RECORDED),
    )
    frames = list(opened(network, Clock()))
    # its times are its own, not those of the wall
    assert [frame.pts for frame in frames] == [0, 40, 80, 120]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert network.resumed == [None, 40]


def test_recorded_material_that_broke_after_its_last_picture_ends() -> None:
    network = Network(ScriptedLink([arrival(0, 0, 0), BROKE], RECORDED), ScriptedLink([ENDED], RECORDED))
    assert len(list(opened(network, Clock()))) == 1


def test_what_another_attempt_cannot_mend_is_not_tried_again() -> None:
    clock = Clock()
    cut_short = LostError("broke off: half is missing", "check the file", is_final=True)
    source = opened(Network(ScriptedLink([arrival(0, 0, 0), cut_short], RECORDED)), clock, reconnect=5)
    with pytest.raises(SourceError, match="broke off: half is missing after 1 frames; check the file"):
        list(source)
    assert clock.waits == []


def test_closing_ends_a_wait_between_attempts() -> None:
    clock = Clock()
    source = opened(Network(ScriptedLink([arrival(0, 0, 0), BROKE])), clock)

    def closed_meanwhile(_: float) -> bool:
        source.close()
        return True

    source._wait = closed_meanwhile
    assert len(list(source)) == 1


def test_nothing_comes_after_closing_and_closing_twice_does_nothing() -> None:
    link = ScriptedLink([arrival(0, 0, 0), arrival(1, 40, 0)])
    source = opened(Network(link), Clock())
    source.close()
    source.close()
    assert list(source) == []
    assert link.is_left
