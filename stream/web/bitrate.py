"""How many bits a second a stream's encoder may take, by what viewers' reports say (loop's thread).

A report (RTCP, about once a second) tells which share of packets was lost (RFC 3550) or how much the connection seems
to take (REMB, draft-alvestrand-rmcat-remb). What one viewer can take follows the loss based controller of
draft-ietf-rmcat-gcc, section 6; what the one shared encoder takes is the rule of `shared_bps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MUCH_LOST, LITTLE_LOST = 0.10, 0.02
"""Shares of packets: above the first the rate falls, below the second it rises."""

RISE = 1.05
"""By so much with each report that all is well."""

LEAST_SHARE = 0.1
"""Of the configured rate: below, there is no picture worth sending."""

LEAST_CHANGE = 0.1
"""An encoder is set anew only for so much: each change costs a while of unsteady quality, and VP8 a keyframe."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a viewer's reports say of its connection.

    Attributes:
        bitrate_bps: what it can take.
        lost_share: of packets, by the last report, 0..1.
    """

    bitrate_bps: float
    lost_share: float


class Link:
    """One viewer's connection."""

    def __init__(self, most_bps: int) -> None:
        """Trust it until it reports.

        Args:
            most_bps: as configured; it is never taken for better.
        """
        self._most_bps = most_bps
        self._bps = float(most_bps)
        self._lost_share = 0.0
        self._limit_bps: float | None = None

    @property
    def report(self) -> LinkReport:
        """How it is."""
        return LinkReport(self._bps, self._lost_share)

    def lost(self, share: float) -> None:
        """Take the share of packets that was lost since the last report, 0..1."""
        self._lost_share = share
        if share > MUCH_LOST:
            self._set(self._bps * (1 - 0.5 * share))
        elif share < LITTLE_LOST:
            self._set(self._bps * RISE)

    def limited(self, bps: float, sent_bps: float) -> None:
        """Take the receiver's estimate.

        A receiver that is sent little, because little moves, estimates little: only an estimate that falls, and below
        what is sent, says that the connection is full.

        Args:
            bps: of the receiver.
            sent_bps: what it was sent lately.
        """
        if self._limit_bps is not None and bps < self._limit_bps and bps < sent_bps:
            self._set(min(self._bps, bps))
        self._limit_bps = bps

    def _set(self, bps: float) -> None:
        self._bps = min(max(bps, LEAST_SHARE * self._most_bps), float(self._most_bps))


def shared_bps(links: Sequence[LinkReport], most_bps: int) -> float:
    """What the shared encoder takes: as much as at least half of the viewers can take, and never more than configured.

    So a single bad connection among several changes nothing for the others: its own pictures are dropped up to the next
    keyframe. Alone, or as one of a majority, it is followed.
    """
    if not links:
        return float(most_bps)
    rates = sorted(link.bitrate_bps for link in links)
    return min(rates[len(rates) // 2], float(most_bps))


def is_worth_a_change(now_bps: float, wanted_bps: float) -> bool:
    """Whether an encoder is to be set anew."""
    return abs(wanted_bps - now_bps) > LEAST_CHANGE * now_bps
