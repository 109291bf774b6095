"""What can go wrong in the pipeline: one base class, one sentence each; never a message's text."""


class VangnetError(Exception):
    """Base of every error a user is shown; its text says what, where and what to do."""


class SettingsError(VangnetError):
    """A setting is missing, malformed or unsafe."""
