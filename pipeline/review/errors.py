"""What can go wrong between a flag and its decision; never a message's text."""

from pipeline.errors import VangnetError


class ReviewError(VangnetError):
    """Base of every refusal of the review store."""


class RulesError(ReviewError):
    """The joining rules (cases.toml) are malformed; the text names the entry and what it must be."""


class CaseNotFoundError(ReviewError):
    """There is no such case for this mentor: absent and not allowed look the same."""


class MessageNotFoundError(ReviewError):
    """The case, or the parked list, holds no such message."""


class ClaimedByOtherError(ReviewError):
    """Another mentor is judging this case; wait until the claim ends or is released."""


class NotClaimedError(ReviewError):
    """The act needs the mentor's own running claim; open the case first."""


class ReasonError(ReviewError):
    """A reason is missing or too long."""


class AlreadyDecidedError(ReviewError):
    """A message in an open case has its outcome already; revise it instead of deciding again."""


class CaseClosedError(ReviewError):
    """Every message of the case has its outcome; only a revision with a new reason is possible."""


class NotDecidedError(ReviewError):
    """A revision was asked of a message that has no outcome yet; decide it first."""


class StoredRecordError(ReviewError):
    """A stored record cannot be read: the key file is another one or the data are damaged; run `vangnet doctor`."""
