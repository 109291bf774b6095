"""What can go wrong at the edges: one base class, one sentence each; line numbers only, never a message's text."""

from pipeline.errors import VangnetError


class ConnectorError(VangnetError):
    """Base of every error of a connector."""


class ExportError(ConnectorError):
    """A WhatsApp export cannot be read; the text says why and what to do."""


class ExportUnreadableError(ExportError):
    """The file is not there, is a folder, or may not be read."""


class NotAnExportError(ExportError):
    """No line of the file begins as a line of a WhatsApp export does."""


class AmbiguousDatesError(ExportError):
    """Nothing in the file proves which part of its dates is the day."""


class ContradictedDatesError(ExportError):
    """The file's dates cannot be read in one order, or not in the order that was asked for."""


class ArchiveError(ExportError):
    """Base of what can be wrong with a zip."""


class BrokenArchiveError(ArchiveError):
    """The zip is damaged or cut off."""


class EncryptedArchiveError(ArchiveError):
    """The zip asks for a password."""


class UnsafeArchiveError(ArchiveError):
    """The zip holds a path that leads out of it, or unpacks to far more than a chat can be."""


class NoChatInArchiveError(ArchiveError):
    """The zip holds no chat text, or several and none is named as WhatsApp does."""


class IntakeAwayError(ConnectorError):
    """The store or the broker stayed away; nothing is lost, and starting again goes on where it stopped."""


class ImportRefusedError(ConnectorError):
    """The group is not in the ledger or does not take messages now."""


class ReplayError(ConnectorError):
    """The demo school's data does not add up."""
