"""What can go wrong in the classifiers, one class a cause; every text says what, where and what to do."""


class ClassifierError(Exception):
    """Base of everything this package raises on purpose."""


class CorpusError(ClassifierError):
    """A line of the corpus, or of a file to be evaluated, breaks the guide's form."""


class ProtocolError(ClassifierError):
    """The clauses or the thresholds, which people edit, do not fit together."""


class ModelError(ClassifierError):
    """Weights are missing, truncated, altered or of another form than this code reads."""


class InputError(ClassifierError):
    """A line handed to a command cannot be read as a message."""


class TrainingError(ClassifierError):
    """A training run cannot start or go on."""
