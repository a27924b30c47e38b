"""How overlays look: colours, and sizes that follow the picture's, so that text reads alike at 360p and at 4K.

Every overlay asks here (write thread). Colours are BGR, 0..255.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import cache

Colour = tuple[int, int, int]

TEXT: Colour = (255, 255, 255)
QUIET_TEXT: Colour = (216, 213, 211)
WARNING: Colour = (66, 190, 255)
DARK: Colour = (24, 20, 18)
LIGHT_LINE: Colour = (140, 136, 134)

PANEL_LEVEL = 24
"""The grey level of a panel."""
PANEL_ALPHA = 0.74
"""The panel's share of a pixel. White paper comes out at level 84, on which white text has a contrast of 7.6:1."""

REGULAR = 400
SEMIBOLD = 600

_GOLDEN_RATIO = 0.618
_LEAST_LUMA = 155
# Neighbours differ in hue, because the ids of one model's likeliest classes are often neighbours. All are light enough
# to stand out on a panel over white paper, and to carry dark text.
PALETTE: tuple[Colour, ...] = (
    (255, 200, 77),  # sky
    (92, 166, 255),  # orange
    (150, 230, 130),  # green
    (214, 140, 255),  # pink
    (80, 220, 255),  # yellow
    (255, 160, 160),  # periwinkle
    (208, 232, 94),  # turquoise
    (130, 130, 255),  # coral
    (120, 238, 200),  # lime
    (255, 150, 215),  # violet
    (170, 205, 255),  # peach
    (240, 215, 170),  # ice
)


@cache
def class_colour(class_id: int) -> Colour:
    """The colour of a class: the same in every frame, panel and run; the palette's own for the first classes.

    Each later round of the palette has its hues turned by another part of a step, and is a little deeper; what would
    become too deep to carry dark text is mixed with white.
    """
    blue, green, red = PALETTE[class_id % len(PALETTE)]
    turns = class_id // len(PALETTE)
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    hue += (turns * _GOLDEN_RATIO % 1) / len(PALETTE)
    lightness -= 0.05 * (turns % 3)
    levels = [255 * level for level in colorsys.hls_to_rgb(hue, lightness, saturation)]
    luma = 0.299 * levels[0] + 0.587 * levels[1] + 0.114 * levels[2]
    white = max(0.0, (_LEAST_LUMA - luma) / (255 - luma))
    red, green, blue = (round(level + white * (255 - level)) for level in levels)
    return blue, green, red


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one picture's overlays, in pixels.

    Attributes:
        text: height of body text, ascender to descender.
        small: height of captions.
        large: height of a headline.
        margin: between panels, and between panels and the picture's edge.
        padding: between a panel's edge and what it says.
        gap: between lines.
        bar: thickness of a score bar.
        line: thickness of lines drawn on the picture.
        radius: of a panel's corners.
        panel_width: outer width of a result panel.
        thumbnail: side of a thumbnail of 28x28, a whole multiple of 28.
    """

    text: int
    small: int
    large: int
    margin: int
    padding: int
    gap: int
    bar: int
    line: int
    radius: int
    panel_width: int
    thumbnail: int


@cache
def sizes_for(width: int, height: int) -> Sizes:
    """The sizes for a picture of a width and a height in pixels."""
    # A portrait picture is read by its width, of which a panel may take more than of a landscape picture's.
    basis = min(height, width * 0.8)
    text = max(12, round(basis * 0.027))
    return Sizes(
        text=text,
        small=max(11, round(text * 0.78)),
        large=round(text * 1.45),
        margin=round(text * 0.8),
        padding=round(text * 0.7),
        gap=round(text * 0.4),
        bar=max(2, round(text * 0.24)),
        line=max(2, round(text * 0.19)),
        radius=round(text * 0.55),
        panel_width=round(text * 15.5),
        thumbnail=28 * max(1, round(text * 3.9 / 28)),
    )
