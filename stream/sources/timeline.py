"""One presentation time line for a live stream over all its connections, its clock's jumps and its wraps.

Used by the network source on the capture thread, once a frame.

- Within a connection the stream's own clock counts: a first connection's times are exactly those of the stream.
- After a reconnection, and where the clock jumps, time goes on by as much as passed between the arrivals of the two
  pictures: a gap is as long as it was.
- A stream without a clock (MJPEG over HTTP) has the times at which its pictures arrived.
- MPEG-TS counts 33 bits of 90 kHz and begins again after 26.5 hours, RTP 32 bits after 13: there time just goes on.
"""

from __future__ import annotations

from fractions import Fraction

NS = Fraction(1, 1_000_000_000)
"""Seconds a tick of the arrival clock."""

WRAPS = (1 << 32, 1 << 33)
"""Ticks after which RTP's and MPEG-TS's clocks begin again."""

STEP_BACK = Fraction(1)
"""Seconds that a clock may step back without counting as set anew: the picture is moved after the one before it."""

UNEVENNESS = Fraction(10)
"""Seconds by which two pictures' arrivals may differ from the stream's clock: stalls and bursts of the network."""


class Timeline:
    """Turns the times of a stream's pictures into times that only ever go forward."""

    def __init__(self, time_base: Fraction) -> None:
        """Begin.

        Args:
            time_base: seconds a tick of the times given out, for the whole run.
        """
        self._time_base = time_base
        self._offset: Fraction | None = None  # seconds from the connection's clock to the run's
        self._clock: tuple[int, Fraction] | None = None  # the connection's last time and its unit
        self._last_pts: int | None = None
        self._last_arrival_ns = 0

    def reconnected(self) -> None:
        """Another connection, with another clock, gives the next picture."""
        self._clock = self._offset = None

    def pts_of(self, ticks: int | None, time_base: Fraction, arrived_ns: int) -> int:
        """The presentation time of the next picture, later than that of the one before it.

        Args:
            ticks: the time that the stream gives it, or None where it gives none.
            time_base: seconds a tick of the stream's clock.
            arrived_ns: when it arrived.
        """
        elapsed = (arrived_ns - self._last_arrival_ns) * NS
        self._last_arrival_ns = arrived_ns
        if ticks is None:
            ticks, time_base = arrived_ns, NS
        seconds = self._on_the_run(ticks, time_base, elapsed)
        pts = round(seconds / self._time_base)
        if self._last_pts is not None:
            pts = max(pts, self._last_pts + 1)
        self._last_pts = pts
        return pts

    def _on_the_run(self, ticks: int, time_base: Fraction, elapsed: Fraction) -> Fraction:
        """Seconds on the run's clock, perhaps a little before the picture before."""
        if self._last_pts is None:
            # The arrival clock has no beginning of its own.
            self._offset = -ticks * time_base if time_base == NS else Fraction(0)
        elif self._clock is None or self._clock[1] != time_base:
            self._offset = None
        else:
            self._follow(ticks - self._clock[0], elapsed)
        self._clock = (ticks, time_base)
        if self._offset is None:
            self._offset = (self._last_pts or 0) * self._time_base + elapsed - ticks * time_base
        return ticks * time_base + self._offset

    def _follow(self, step: int, elapsed: Fraction) -> None:
        """Add what a wrap took away; forget the offset where the clock was set anew."""
        if self._clock is None or self._offset is None:
            return
        time_base = self._clock[1]
        if -STEP_BACK <= step * time_base <= 0:
            return
        for wrap in (0, *WRAPS):
            seconds = (step + wrap) * time_base
            if seconds > 0 and abs(seconds - elapsed) <= UNEVENNESS:
                self._offset += wrap * time_base
                return
        self._offset = None
