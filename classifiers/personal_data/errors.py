"""What can go wrong in finding personal data."""


class PersonalDataError(Exception):
    """Base of every error of this package."""


class PublicListError(PersonalDataError):
    """The school's own list of what is public cannot be used."""
