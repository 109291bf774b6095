"""What can go wrong in the pipeline: one base class, one sentence each; never a message's text."""


class VangnetError(Exception):
    """Base of every error a user is shown; its text says what, where and what to do."""


class SettingsError(VangnetError):
    """A setting is missing, malformed or unsafe."""


class KeyringError(VangnetError):
    """The key files cannot be made, read or trusted."""


class SealError(VangnetError):
    """Sealed bytes do not open: another key, another place or a changed byte."""


class CodecError(VangnetError):
    """A record on a topic cannot be read or written."""


class KeyDestroyedError(CodecError):
    """A record's group opted out: its key is gone, and the record with it."""


class LedgerError(VangnetError):
    """A change to the ledger of groups is refused."""


class PublishError(VangnetError):
    """The broker did not take records in time."""


class BatchError(VangnetError):
    """A connector handed in a batch that intake cannot take as a whole."""


class StoreError(VangnetError):
    """The Redis or Valkey server cannot be started, reached or used."""


class SupervisorError(VangnetError):
    """A process of ours could not be started or ended when it should not."""
