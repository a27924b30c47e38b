"""The errors of everything that has a clock: configuration, sources and sinks."""

from models.errors import MirillaError


class ConfigError(MirillaError):
    """A configuration file or a command line option is wrong."""


class SourceError(MirillaError):
    """A source cannot be opened, or broke while it was read."""


class SinkError(MirillaError):
    """A sink cannot be opened, or could not write."""
