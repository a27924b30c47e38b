"""What a user can mend before a model is measured."""

from models.errors import MirillaError


class DataError(MirillaError):
    """Annotated data is missing, damaged, in no layout that is known, or not for this model."""
