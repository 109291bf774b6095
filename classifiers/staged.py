"""The shipped model with its shortcuts: what needs no second look is answered without the full model.

Each shortcut can be switched off, counts what it answered, and never applies where the conversation matters: a
repeat is only known for a message without context, and in a warm conversation everything is read.
"""

import random
import time
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.findings import ScoringInput, Utterance
from classifiers.measures import Measured, Observe, unwatched
from classifiers.toxicity.encoder import TokenCounts
from classifiers.toxicity.ngram import ANY

FIRST_STAGE = Path(__file__).parent / "toxicity" / "first_stage.toml"
SUSPICIOUS = 0.3
"""Score from which a message makes its conversation warm."""
WARM_SECONDS = 600.0
"""So long a conversation stays warm."""
KEPT_REPEATS = 20_000
KEPT_WARM = 10_000


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """Which shortcuts are taken."""

    context_memory: bool = True
    """Earlier messages are not read again (`toxicity.context_memory`)."""
    repeats: bool = True
    """A message without context that was judged before gets the same answer."""
    first_stage: bool = False
    """The n-gram stage clears plainly harmless messages. Off: `toxicity/first_stage.toml` tells what it would save."""
    sampled: float = 0.01
    """Share of cleared messages that the full model judges anyway, to watch what is lost."""


class _Judge(Protocol):
    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]: ...


class _FullModel(_Judge, Protocol):
    version: str
    counts: TokenCounts

    def forget(self) -> None: ...


class StagedModel:
    """The full model behind its shortcuts; itself a model as the engine knows it.

    Args:
        full: The encoder.
        shortcuts: Which are taken.
        first: The first stage; needed where `shortcuts.first_stage` is set.
        clear_below: First-stage score under which a message is plainly harmless.
        chance: Gives numbers in [0, 1) that choose the sampled messages.
    """

    def __init__(
        self,
        full: _FullModel,
        shortcuts: Shortcuts,
        *,
        first: _Judge | None = None,
        clear_below: float = 0.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.full = full
        self.observe: Observe = unwatched
        self._first = first if shortcuts.first_stage else None
        self._clear_below = clear_below
        self._shortcuts = shortcuts
        self._chance = chance
        self._repeats: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._warm: OrderedDict[int, None] = OrderedDict()

    @property
    def version(self) -> str:
        """The full model's: a message that a stage cleared is far below any cut."""
        return self.full.version

    def forget(self) -> None:
        """Drop everything that is kept of messages read before."""
        self.full.forget()
        self._repeats.clear()
        self._warm.clear()

    def score(self, inputs: Sequence[ScoringInput]) -> NDArray[np.float32]:
        """Probabilities of shape (len(inputs), 11); a cleared message has those of the stage that cleared it."""
        scores = np.zeros((len(inputs), ANY + 1), np.float32)
        open_ = self._answer_repeats(inputs, scores)
        repeats = len(inputs) - len(open_)
        started = time.perf_counter()
        cleared = self._clear(inputs, open_, scores)
        first_seconds = time.perf_counter() - started
        sampled = {place for place in cleared if self._chance() < self._shortcuts.sampled}
        to_read = [place for place in open_ if place not in cleared or place in sampled]
        before = self.full.counts.read, self.full.counts.padded, self.full.counts.reused
        tokenize_before = self.full.counts.tokenize_seconds
        started = time.perf_counter()
        if to_read:
            scores[to_read] = self.full.score([inputs[place] for place in to_read])
        model_seconds = time.perf_counter() - started
        self._remember(inputs, to_read, scores)
        counts = self.full.counts
        tokenize_seconds = counts.tokenize_seconds - tokenize_before
        self.observe(
            Measured(
                tokens=counts.read - before[0],
                padded_tokens=counts.padded - before[1],
                reused_tokens=counts.reused - before[2],
                repeats=repeats,
                cleared={"first_stage": len(cleared) - len(sampled)},
                sampled=len(sampled),
                disagreed=sum(scores[place, ANY] >= SUSPICIOUS for place in sampled),
                seconds={
                    "tokenize": tokenize_seconds,
                    "first_stage": first_seconds,
                    "model": model_seconds - tokenize_seconds,
                },
            )
        )
        return scores

    def _answer_repeats(self, inputs: Sequence[ScoringInput], scores: NDArray[np.float32]) -> list[int]:
        """Fill in what is known; the places that are left."""
        if not self._shortcuts.repeats:
            return list(range(len(inputs)))
        left = []
        for place, one in enumerate(inputs):
            known = None if one.before else self._repeats.get(_alone(one.message))
            if known is None:
                left.append(place)
            else:
                scores[place] = known
        return left

    def _clear(self, inputs: Sequence[ScoringInput], places: list[int], scores: NDArray[np.float32]) -> set[int]:
        if self._first is None or not places:
            return set()
        cool = [place for place in places if not self._is_warm(inputs[place])]
        if not cool:
            return set()
        scores[cool] = self._first.score([inputs[place] for place in cool])
        return {place for place in cool if scores[place, ANY] < self._clear_below}

    def _is_warm(self, one: ScoringInput) -> bool:
        now = one.message.sent
        return any(
            _key(said) in self._warm and (now is None or said.sent is None or abs(now - said.sent) <= WARM_SECONDS)
            for said in one.before
        )

    def _remember(self, inputs: Sequence[ScoringInput], places: list[int], scores: NDArray[np.float32]) -> None:
        for place in places:
            one = inputs[place]
            if self._shortcuts.repeats and not one.before:
                self._repeats[_alone(one.message)] = scores[place].copy()
            if scores[place, ANY] >= SUSPICIOUS:
                self._warm[_key(one.message)] = None
        for kept, most in ((self._repeats, KEPT_REPEATS), (self._warm, KEPT_WARM)):
            while len(kept) > most:
                kept.popitem(last=False)


def load_clear_below(path: Path = FIRST_STAGE) -> float:
    """First-stage score under which a message is plainly harmless, as the last run chose it."""
    return float(tomllib.loads(path.read_text(encoding="utf-8"))["clear_below"])


def _alone(message: Utterance) -> int:
    """Stands for everything the model reads of a message without context; a hash, so that no text is kept."""
    return hash((message.text, message.role, bool(message.author)))


def _key(message: Utterance) -> int:
    return hash((message.text, message.author, message.sent, message.role))
