"""What a user can mend about an export."""

from models.errors import MirillaError


class ExportError(MirillaError):
    """A checkpoint cannot be exported, or its ONNX model does not do what the PyTorch model does."""
