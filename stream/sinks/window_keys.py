"""What the keys of a window do, and what its help says of them (thread of the window)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from stream.class_choice import MOST_CLASSES
from stream.controls import Controls
from stream.sinks.window_pointing import WindowPointing


class KeyedWindow(Protocol):
    """What keys do with the window itself."""

    def leave(self, controls: Controls) -> None:
        """End the stream."""

    def pause(self, controls: Controls) -> None:
        """Stop the picture, or let it go on."""

    def save(self, controls: Controls) -> None:
        """Save the picture that is shown."""

    def record(self, controls: Controls) -> None:
        """Begin to record, or end."""

    def help(self, controls: Controls) -> None:
        """Show the keys, or no longer."""

    @property
    def pointing(self) -> WindowPointing:
        """What its mouse is about."""


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """What a key does.

    Attributes:
        key: as the help calls it.
        says: what it does, for the help.
        act: does it.
    """

    key: str
    says: str
    act: Callable[[KeyedWindow, Controls], None]


def _choose(number: int, _window: KeyedWindow, controls: Controls) -> None:
    controls.tell(controls.classes.choose(number))


def _isolate(_window: KeyedWindow, controls: Controls) -> None:
    controls.tell(controls.classes.isolate())


def _anew(window: KeyedWindow, controls: Controls) -> None:
    window.pointing.anew(controls)


_CLASS_KEYS = f"1-{MOST_CLASSES}"
_CLASSES_SAY = "hide a class, show it; or choose the one that is alone"

KEYS: Mapping[str, KeyBinding] = {
    "q": KeyBinding("q", "quit", lambda window, controls: window.leave(controls)),
    " ": KeyBinding("space", "pause, go on", lambda window, controls: window.pause(controls)),
    "s": KeyBinding("s", "save a picture", lambda window, controls: window.save(controls)),
    "r": KeyBinding("r", "record, stop recording", lambda window, controls: window.record(controls)),
    "h": KeyBinding("h", "hide the figures, show them", lambda _, controls: controls.toggle_hud()),
    **{
        str(number): KeyBinding(_CLASS_KEYS, _CLASSES_SAY, partial(_choose, number))
        for number in range(1, MOST_CLASSES + 1)
    },
    "i": KeyBinding("i", "a class alone: the rest blurred, white, grey; then all", _isolate),
    "n": KeyBinding("n", "the next model of this kind", lambda _, controls: controls.step_model(1)),
    "p": KeyBinding("p", "the model before", lambda _, controls: controls.step_model(-1)),
    **{
        key: KeyBinding(key, says, act)
        for key, says, act in (
            ("o", "point at another object", _anew),
            ("u", "take the last click back", lambda window, controls: window.pointing.undo(controls)),
            ("c", "follow no object any longer", lambda window, controls: window.pointing.clear(controls)),
        )
    },
    "?": KeyBinding("?", "these keys", lambda window, controls: window.help(controls)),
}
"""By the character that the key gives."""

POINTING_KEYS = ("o", "u", "c")
POINTING_HELP = [
    ("click", "follow what is there; right button: no part of it"),
    *((key, KEYS[key].says) for key in POINTING_KEYS),
]
"""Where a model of the stream answers clicks."""

HELP = list(dict.fromkeys((binding.key, binding.says) for key, binding in KEYS.items() if key not in POINTING_KEYS))
"""Keys and what they do, each once."""
