"""What is drawn for drawings whose names are guesses of one picture: what is drawn for all objects (write thread)."""

from __future__ import annotations

from models.guessed_drawings import GuessedDrawings
from stream.overlays.detections import DetectionsOverlay
from stream.overlays.overlay import OverlayKind

OVERLAY = OverlayKind(result_type=GuessedDrawings, make=DetectionsOverlay)
