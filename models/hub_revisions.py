"""Which commit a branch of the hub named when it was first fetched: later runs take the same, and say so.

Kept in `revisions.json` beside the packages. Read and written by `models.hub`, before the first frame.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from models.errors import ModelError
from models.zoo import packages_folder

_COMMIT = re.compile(r"[0-9a-f]{40}")


def revisions_file() -> Path:
    """`$MIRILLA_HOME/revisions.json`, or in the user's cache."""
    return packages_folder().with_name("revisions.json")


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, which names the same files for ever."""
    return _COMMIT.fullmatch(revision) is not None


def known_commit(repository: str, branch: str) -> str | None:
    """The commit that a branch or tag named when it was first fetched; None where it never was.

    Raises:
        ModelError: the file is damaged.
    """
    return _read().get(_key(repository, branch))


def remember_commit(repository: str, branch: str, commit: str) -> None:
    """Keep what a branch or tag names today.

    Raises:
        ModelError: the file is damaged, or cannot be written.
    """
    commits = {**_read(), _key(repository, branch): commit}
    path = revisions_file()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(commits, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}") from error


def _key(repository: str, branch: str) -> str:
    return f"{repository}@{branch}"


def _read() -> dict[str, str]:
    path = revisions_file()
    try:
        commits = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); delete it, and branches are looked up again") from error
    if not isinstance(commits, dict) or not all(isinstance(value, str) for value in commits.values()):
        raise ModelError(
            f"{path}: expected commits by `repository@branch`; delete it, and branches are looked up again"
        )
    return commits
