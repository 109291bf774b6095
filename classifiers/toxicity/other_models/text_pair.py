"""A message and the conversation before it as two texts, for transformers that know nothing of conversations."""

from collections.abc import Iterator, Sequence
from typing import Any

from classifiers.findings import ScoringInput, Utterance

SELF = "ik"
"""Stands for the author of the message that is judged."""
ROLES = {"teacher": "docent", "parent": "ouder"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SEPARATOR = " | "


def as_pair(one: ScoringInput) -> tuple[str, str]:
    """The context as `speaker: text | speaker: text`, oldest first, and the message.

    The author himself is `ik`, teachers and parents go by their role, other pupils by a letter in order of appearance.
    """
    names: dict[str, str] = {}
    said = [f"{_speaker(utterance, one.message.author, names)}: {utterance.text}" for utterance in one.before]
    return SEPARATOR.join(said), one.message.text


def _speaker(utterance: Utterance, author: str, names: dict[str, str]) -> str:
    if author and utterance.author == author:
        return SELF
    role = ROLES.get(utterance.role)
    return role or names.setdefault(utterance.author, LETTERS[len(names) % len(LETTERS)])


class PairTokenizer:
    """A checkpoint's own tokenizer, used so that a message is never cut to make room for its conversation.

    Args:
        tokenizer: Of the fast kind.
        most: Tokens that the model may read.
        context: Whether the conversation is read at all, as the first of two texts.
    """

    def __init__(self, tokenizer: Any, most: int, *, context: bool) -> None:  # noqa: ANN401  # transformers' own
        self._tokenizer = tokenizer
        self._tokenizer.truncation_side = "left"
        self._most = min(most, tokenizer.model_max_length)
        self._context = context
        # One token of context must be left to cut from, else the tokenizer refuses.
        self._room = self._most - tokenizer.num_special_tokens_to_add(pair=context) - 1

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Each text as it is, or where it has too many tokens, pieces that overlap by a third and lose nothing."""
        if not texts:
            return []
        places = self._tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return [
            [text] if len(offsets) <= self._room else [text[start:end] for start, end in self._cuts(offsets)]
            for text, offsets in zip(texts, places, strict=True)
        ]

    def _cuts(self, offsets: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        at = 0
        while True:
            end = min(len(offsets), at + self._room)
            yield offsets[at][0], offsets[end - 1][1]
            if end == len(offsets):
                return
            at = end - self._room // 3

    def tensors(self, pairs: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401
        """What the model reads: contexts, cut at their oldest end, and messages that are pieces."""
        texts = [text for _, text in pairs]
        given = ([context for context, _ in pairs], texts) if self._context else (texts,)
        return self._tokenizer(
            *given, truncation="only_first", max_length=self._most, padding=True, return_tensors="pt"
        )
