"""What can go wrong in the pages and their accounts: one sentence each; never a message's text or a password."""

from pipeline.errors import VangnetError


class DashboardError(VangnetError):
    """Base of this package's errors."""


class AccountError(DashboardError):
    """An account cannot be made or changed; the text says what to do."""


class SignInRefusedError(DashboardError):
    """The name or password is wrong; which of the two is not told."""


class SignInThrottledError(SignInRefusedError):
    """Too many failed attempts; nobody may try this name, or from this address, for a while."""


class TextMissingError(DashboardError):
    """A page asks for a Dutch text that `texts_nl.toml` does not hold."""


class AddressInUseError(DashboardError):
    """The web app cannot listen where it was told to."""
