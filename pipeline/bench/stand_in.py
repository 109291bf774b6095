"""A worker whose classifier looks at nothing: what is left is the pipeline's own cost.

Run as `python -m pipeline.bench.stand_in`, with the settings in the environment as for `vangnet worker`.
"""

import zlib
from collections.abc import Sequence

from classifiers.findings import Assessment, Finding, ScoringInput
from classifiers.labels import LABELS, Label
from pipeline.commands.worker import run_worker
from pipeline.log import set_up_logging
from pipeline.settings import load_settings

ONE_IN = 50
"""Flags 2 %: more than any class group gives."""


class StandInScorer:
    """Judges by a checksum of the text: the same text, the same judgement, in no time."""

    version = "stand-in:1"

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        """Judge a batch; the result has the same length and order."""
        return [_FLAGGED if flags(one.message.text) else _HARMLESS for one in inputs]

    def forget(self) -> None:
        """Nothing is kept."""

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        """Give no reason: there is none."""
        return [Finding(label, 0.0, "stand-in") for label in labels]


def flags(text: str) -> bool:
    """Whether the stand-in flags a text."""
    return zlib.crc32(text.encode()) % ONE_IN == 0


_HARMLESS = Assessment(0.0, dict.fromkeys(LABELS, 0.0), model=StandInScorer.version)
_FLAGGED = Assessment(
    1.0, {label: float(number == 0) for number, label in enumerate(LABELS)}, model=StandInScorer.version
)


def main() -> None:
    """Run the worker until it is told to stop."""
    set_up_logging("bench worker")
    run_worker(load_settings(), StandInScorer())


if __name__ == "__main__":
    main()
