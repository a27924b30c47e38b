"""The root of Mirilla's error tree, and the errors of models.

A `MirillaError` is something the user can mend: its message is one or two lines that name the key, the value and the
mend. The command prints it as it stands; anything else that reaches the command is a defect of Mirilla's.
"""

from typing import ClassVar


class MirillaError(Exception):
    """The root of every error that Mirilla raises on purpose."""

    exit_code: ClassVar[int] = 2
    """Of the command, where the error ends it: 2 for what the user gave, 1 for what was tried and failed."""


class ModelError(MirillaError):
    """A model package is missing, damaged, unknown to this version, or does not run here."""


class PromptError(MirillaError):
    """A point or a box that a picture cannot be asked with."""
