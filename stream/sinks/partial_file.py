"""A file that is written beside its name and renamed when it is whole; used by every sink that writes one file.

`out.mp4` grows as `out.partial.mp4`, so that a player opens what a crash or `kill -9` left. A partial file that
stands there already is somebody's recording: it is never written over, the next one is `out.partial-2.mp4`.
Used by sinks on whichever thread calls them; nothing here is shared between threads.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

from stream.errors import SinkError

_log = logging.getLogger("mirilla")

_MENDS = {
    errno.ENOSPC: "the disk is full; free some space or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EFBIG: "the file is larger than is allowed there; write elsewhere or record less",
    errno.EACCES: "it may not be written; choose a folder that you may write to",
    errno.EPERM: "it may not be written; choose a folder that you may write to",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOTDIR: "a part of the path is a file; choose another folder",
    errno.EEXIST: "a part of the path is a file; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def describe_failure(error: Exception) -> str:
    """What went wrong and how to mend it, for the end of a message: `the disk is full; free some space or ...`."""
    number = getattr(error, "errno", None)
    if number in _MENDS:
        return _MENDS[number]
    return f"writing failed ({getattr(error, 'strerror', None) or error}); write elsewhere"


class PartialFile:
    """One output file on its way from a partial name to its own.

    Attributes:
        spec: the name as the user wrote it, for messages.
        final: where the whole file will stand.
        partial: where it grows; None unless reserved.
        is_published: whether the whole file stands under its name.
    """

    def __init__(self, spec: str, *, overwrite: bool) -> None:
        """Touches no disk yet.

        Args:
            spec: the path as the user wrote it.
            overwrite: whether a file that stands at that path may be replaced.
        """
        self.spec = spec
        self.final = Path(spec)
        self.partial: Path | None = None
        self.is_published = False
        self._overwrite = overwrite

    def reserve(self) -> Path:
        """Create the empty partial file, and the folders above it, and return its path.

        Raises:
            SinkError: the output exists, is a folder, or cannot be created there.
        """
        self._check_final()
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True)
            self.partial = self._create_partial()
        except OSError as error:
            raise SinkError(f"sink: {self.spec}: {describe_failure(error)}") from error
        return self.partial

    def publish(self, whole: Path | None = None) -> None:
        """Give the finished file its own name.

        Args:
            whole: a finished file that takes the name instead of the partial one, which is then removed.

        Raises:
            SinkError: the name was taken meanwhile, or renaming failed; the partial file stays.
        """
        partial = self._reserved()
        try:
            self._check_final()
            (whole or partial).replace(self.final)
            partial.unlink(missing_ok=True)
        except SinkError as error:
            raise SinkError(f"{error}; the recording stands in {partial}") from error
        except OSError as error:
            raise self.failure(error) from error
        self.partial = None
        self.is_published = True

    def discard(self) -> None:
        """Remove the partial file; does nothing where there is none."""
        if self.partial is not None:
            self.partial.unlink(missing_ok=True)
            self.partial = None

    def failure(self, error: Exception) -> SinkError:
        """The one error for a failed write: what happened, the mend, and where to find what was written.

        A partial file into which nothing was written is removed.
        """
        message = f"sink: {self.spec}: {describe_failure(error)}"
        if self.partial is not None and self.partial.exists():
            if self.partial.stat().st_size > 0:
                message += f"; what was written until then stands in {self.partial}"
            else:
                self.discard()
        return SinkError(message)

    def _reserved(self) -> Path:
        if self.partial is None:
            raise RuntimeError(f"{self.spec}: used before reserve() or after it was published")
        return self.partial

    def _check_final(self) -> None:
        # lexists: a dangling link is something of the user's, too.
        if self.final.is_dir():
            raise SinkError(f"sink: {self.spec} is a folder; give the name of a file")
        if os.path.lexists(self.final) and not self._overwrite:
            raise SinkError(f"sink: {self.spec} exists; pass --overwrite or choose another name")

    def _create_partial(self) -> Path:
        number = 1
        while True:
            mark = ".partial" if number == 1 else f".partial-{number}"
            path = self.final.with_name(f"{self.final.stem}{mark}{self.final.suffix}")
            try:
                path.open("xb").close()
            except FileExistsError:
                _log.warning("%s: an unfinished recording of an earlier run; it is kept", path)
                number += 1
            else:
                return path
