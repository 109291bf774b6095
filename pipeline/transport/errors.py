"""What can go wrong between Faust and the Redis or Valkey server."""

from pipeline.errors import VangnetError


class TransportError(VangnetError):
    """The stream cannot run as asked; the text says what to do."""


class LeaseError(TransportError):
    """Another worker owns this consumer group."""
