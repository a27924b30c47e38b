"""What a user can mend before or while a network trains."""

from models.errors import MirillaError


class TrainingError(MirillaError):
    """The training data is missing, damaged or out of reach, or a training setting makes no sense."""
