"""What a user can mend about an export."""

from typing import ClassVar

from models.errors import MirillaError


class ExportError(MirillaError):
    """A checkpoint cannot be exported, or its ONNX model does not do what the PyTorch model does."""


class ParityError(ExportError):
    """The ONNX model was made, and does not do what the PyTorch model does; its package is left, marked as failed."""

    exit_code: ClassVar[int] = 1
