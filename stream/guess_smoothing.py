"""Keeps the names of drawings steady: what is guessed of one frame is weighed with the frames before (infer thread)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.guessed_drawings import GuessedDrawings
from models.results import Detections

_MEAN_SECONDS = 0.6
"""Time constant of the exponential mean over a drawing's guesses."""
_CLEARLY = 1.25
"""Another name is taken where it is so many times as likely as the one that is shown."""
_FORGOTTEN_SECONDS = 3.0


@dataclass(slots=True)
class _Guess:
    """What has been guessed of one drawing.

    Attributes:
        means: float64 (K,), how likely each class is.
        class_id: the one that is shown.
        seconds: when it was last seen.
    """

    means: NDArray[np.float64]
    class_id: int
    seconds: float


class GuessSmoother:
    """Holds what has been guessed of the drawings of one stream."""

    def __init__(self) -> None:
        """Nothing has been guessed."""
        self._guesses: dict[int, _Guess] = {}

    def update(self, drawings: GuessedDrawings, seconds: float) -> Detections:
        """The drawings with the names and scores that hold over the last frames.

        Args:
            drawings: of the next frame, with ids.
            seconds: presentation time of that frame.

        Raises:
            ValueError: they have no ids.
        """
        if drawings.track_ids is None:
            raise ValueError("drawings: expected track_ids, got None")
        current = [
            self._steadied(track_id, guess.astype(np.float64), seconds)
            for track_id, guess in zip(drawings.track_ids.tolist(), drawings.guesses, strict=True)
        ]
        self._guesses = {
            track_id: guess
            for track_id, guess in self._guesses.items()
            if abs(seconds - guess.seconds) <= _FORGOTTEN_SECONDS
        }
        class_ids = np.array([guess.class_id for guess in current], np.int64)
        scores = np.array([guess.means[guess.class_id] for guess in current], np.float32)
        return drawings.named(class_ids, scores)

    def _steadied(self, track_id: int, guess: NDArray[np.float64], seconds: float) -> _Guess:
        known = self._guesses.get(track_id)
        if known is None:
            known = self._guesses[track_id] = _Guess(guess, int(guess.argmax()), seconds)
            return known
        pace = 1 - math.exp(-max(0.0, seconds - known.seconds) / _MEAN_SECONDS)
        known.means = known.means + pace * (guess - known.means)
        best = int(known.means.argmax())
        if known.means[best] > _CLEARLY * known.means[known.class_id]:
            known.class_id = best
        known.seconds = seconds
        return known
