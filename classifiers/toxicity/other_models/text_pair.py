"""A message and the conversation before it as two texts, for transformers that know nothing of conversations."""

from collections.abc import Sequence

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


def token_pieces(offsets: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Where to cut a text that has too many tokens.

    Args:
        offsets: Start and end of each token in the text.
        most: Tokens a piece; pieces overlap by a third.

    Returns:
        `[start, end)` in characters of each piece; together they hold every token.
    """
    pieces = []
    at = 0
    while True:
        end = min(len(offsets), at + most)
        if offsets:
            pieces.append((offsets[at][0], offsets[end - 1][1]))
        if end == len(offsets):
            return pieces
        at = end - most // 3
