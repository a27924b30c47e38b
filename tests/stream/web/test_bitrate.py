"""What viewers' reports make of the shared encoder's bit rate."""

from __future__ import annotations

import pytest

from stream.web.bitrate import Link, LinkReport, shared_bps

MOST = 1_000_000


@pytest.mark.parametrize(
    ("shares", "bps"),
    [
        # Nothing was reported, and nothing lost: as configured.
        ([], 1_000_000),
        ([0.0, 0.0], 1_000_000),
        # More than a tenth: by half of the share (draft-ietf-rmcat-gcc, section 6).
        ([0.2], 900_000),
        ([0.5, 0.5], 562_500),
        # From a fiftieth to a tenth it holds.
        ([0.2, 0.05, 0.1], 900_000),
        # Less: a twentieth up with each report, never beyond what is configured.
        ([0.2, 0.0], 945_000),
        ([0.2, 0.01, 0.01, 0.01], 1_000_000),
        # Not below a tenth of it.
        ([1.0] * 10, 100_000),
    ],
)
def test_losses_lower_what_a_link_is_trusted_with(shares: list[float], bps: float) -> None:
    link = Link(MOST)
    for share in shares:
        link.lost(share)
    assert link.report.bitrate_bps == pytest.approx(bps)
    assert link.report.lost_share == (shares[-1] if shares else 0.0)


@pytest.mark.parametrize(
    ("estimates", "sent_bps", "bps"),
    [
        # The first says nothing: there is none that it could have fallen from.
        ([300_000], 800_000, 1_000_000),
        # It fell below what is sent: the connection is full.
        ([900_000, 600_000], 800_000, 600_000),
        # It fell, but more is not sent.
        ([900_000, 600_000], 500_000, 1_000_000),
        # A scene that begins to move: more is sent than was estimated, and the estimate rises.
        ([300_000, 320_000], 800_000, 1_000_000),
        # What was lowered does not rise by an estimate, but with the reports that nothing was lost.
        ([900_000, 600_000, 700_000], 800_000, 600_000),
    ],
)
def test_an_estimate_counts_where_it_falls_below_what_is_sent(
    estimates: list[float], sent_bps: float, bps: float
) -> None:
    link = Link(MOST)
    for estimate in estimates:
        link.limited(estimate, sent_bps)
    assert link.report.bitrate_bps == bps


@pytest.mark.parametrize(
    ("rates", "bps"),
    [
        ([], 1_000_000),
        # Alone, one is followed.
        ([200_000], 200_000),
        # One bad connection changes nothing for another, or for many.
        ([200_000, 900_000], 900_000),
        ([900_000, 200_000, 950_000], 900_000),
        # Two of four can take it.
        ([100_000, 200_000, 800_000, 900_000], 800_000),
        # Most are bad: they are followed.
        ([100_000, 200_000, 900_000], 200_000),
    ],
)
def test_the_shared_encoder_takes_what_half_of_the_viewers_can_take(rates: list[float], bps: float) -> None:
    assert shared_bps([LinkReport(rate, 0.0) for rate in rates], MOST) == bps
