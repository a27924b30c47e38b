"""The root of Mirilla's error tree, and the errors of models.

A `MirillaError` is something the user can mend: its message is one or two lines that name the key, the value and the
mend. The command prints it as it stands; anything else that reaches the command is a defect of Mirilla's.
"""


class MirillaError(Exception):
    """The root of every error that Mirilla raises on purpose."""


class ModelError(MirillaError):
    """A model package is missing, damaged, unknown to this version, or does not run here."""
