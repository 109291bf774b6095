"""What the stand-in classifier promises: no time, the same judgement for the same text, one flag in fifty."""

from classifiers.findings import ScoringInput, Utterance
from classifiers.protocol import decide, load_policy
from pipeline.bench.stand_in import ONE_IN, StandInScorer, flags


def test_it_flags_what_it_says_and_nothing_else() -> None:
    """About 2 %, by the school's own protocol, in the order of what came in."""
    texts = [f"som {number}" for number in range(10_000)]
    policy = load_policy()
    assessments = StandInScorer().score([ScoringInput(Utterance(text)) for text in texts])
    flagged = [decide(assessment, policy).flagged for assessment in assessments]
    assert flagged == [flags(text) for text in texts]
    assert abs(sum(flagged) - 10_000 / ONE_IN) < 60
