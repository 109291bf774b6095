"""Says in Dutch why a message was flagged, from the lines that the decision left; the model's figure only when allowed.

The figure would lead the mentor, so it is held back until the first judgement; which label and which recognizer it was
is shown at once.
"""

import re

from dashboards.texts import Texts

_WEIGHED = re.compile(r"(?P<label>\w+) (?P<score>[01]\.\d+) \((?P<model>.*)\)")
"""`classifiers.protocol.decide`: a label, how sure, which model."""
_EARLIER = re.compile(r"(?P<label>\w+): earlier message (?P<back>\d+) back weighed in \(toxicity\.explanation\)")
"""`classifiers.engine`: a label, how many messages back the one stands that it answers."""
_RECOGNIZED = re.compile(r"(?P<label>\w+): .* \((?P<part>[a-z]\w*)\.(?P<classifier>\w+)\)")
"""The same: a label, the pattern, which classifier saw it."""


def explain(why: tuple[str, ...], texts: Texts, *, with_score: bool) -> list[str]:
    """The reasons of a flag as sentences.

    Args:
        why: `Flag.why`.
        texts: Dutch.
        with_score: Whether the mentor has judged, so that figures may be seen.

    Returns:
        Each sentence once, in order. A line of an unknown form is left out: it might hold a figure.
    """
    sentences = []
    for line in why:
        if weighed := _WEIGHED.fullmatch(line):
            label = texts.known("label", weighed["label"])
            score = weighed["score"].replace(".", ",")
            sentences.append(texts("why.scored" if with_score else "why.weighed", label=label, score=score))
        elif earlier := _EARLIER.fullmatch(line):
            label = texts.known("label", earlier["label"])
            back = earlier["back"]
            sentences.append(
                texts("why.before", label=label) if back == "1" else texts("why.earlier", label=label, n=back)
            )
        elif recognized := _RECOGNIZED.fullmatch(line):
            label = texts.known("label", recognized["label"])
            seen = texts.known("recognized", recognized["classifier"])
            sentences.append(texts("why.recognized", label=label, seen=seen))
    return list(dict.fromkeys(sentences))
