"""What the scoring step tells of itself: one record a batch for whoever watches, without a metrics library."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measured:
    """What a part of the scoring step did for one batch; a batch gives one record a part."""

    messages: int = 0
    tokens: int = 0
    """Read by the model, context included."""
    padded_tokens: int = 0
    """With the padding around them; the fill is `tokens / padded_tokens`."""
    reused_tokens: int = 0
    """Tokens of context that were remembered from an earlier batch."""
    repeats: int = 0
    """Messages answered from the cache of repeats."""
    cleared: Mapping[str, int] = field(default_factory=dict)
    """Messages by the stage that found them plainly harmless."""
    sampled: int = 0
    """Cleared messages that the full model judged anyway."""
    disagreed: int = 0
    """Those of them that it found suspicious."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By stage: tokenize, first_stage, model, recognizers."""


Observe = Callable[[Measured], None]


def unwatched(_measured: Measured) -> None:
    """Nobody watches."""
