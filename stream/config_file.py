"""A configuration on the disk, and whether it was edited (thread of `stream.live_changes`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stream.config import Settings


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration on the disk.

    Attributes:
        path: of the file.
        read: the settings of a run with it as it is now; raises ConfigError.
        say: prints a line for the user: what has changed.
    """

    path: Path
    read: Callable[[], Settings]
    say: Callable[[str], None]


class FileWatch:
    """Whether a file has another content than when it was last looked at.

    Its content is compared, not its time: that is right also for editors that replace the file, for links that are
    turned, and for two edits within one tick of the disk's clock. A configuration is a few kilobytes.
    """

    def __init__(self, path: Path) -> None:
        """Take the content as it is now for known."""
        self._path = path
        self._known = self._last = self._content()

    def has_changed(self) -> bool:
        """Whether there is a new content that has stood since the last look; once for each.

        A file that is being written is left alone until it stands, and one that is gone until it is back.
        """
        content, last = self._content(), self._last
        self._last = content
        if content is None or content != last or content == self._known:
            return False
        self._known = content
        return True

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None
