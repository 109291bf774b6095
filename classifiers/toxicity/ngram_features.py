"""Turns messages into hashed n-grams, a batch at a time: no vocabulary, no Python loop over characters.

Counted are the character 2- to 5-grams within words, the words and word pairs of the message itself, and the words of
the two messages before it under another seed, so that "samen met kanker" learns from what it answers. Each n-gram
falls into one of 2**18 buckets by a 64-bit hash of its code points; the same text gives the same buckets everywhere.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from classifiers.findings import ScoringInput

BITS = 18
BUCKETS = 1 << BITS

_U64 = NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
_SPACE = 32
_POWERS = np.array([pow(0x100000001B3, n, 1 << 64) for n in range(256)], dtype=np.uint64)

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_RUNS = re.compile(r"([^\s\d])\1{2,}")
_NUMBER = re.compile(r"(?<![^\W\d])\d+(?![^\W\d])")
_SPELLED = re.compile(r"(?<!\S)(?:\w[\s.\-_*]+){2,}\w(?!\S)")
_MASKED = re.compile(r"\S*[a-z][0-9@$!|*.+_-]+[a-z0-9@$!|*.+_-]\S*|\S*[0-9@$][a-z]\S*")
_PIECES = re.compile(r"\w+|[^\w\s]+")
_LEET = str.maketrans("013457@$!|+", "oieastasiit", "*._-")
# Letters of other scripts that look like Latin ones and are used to slip past a reader that is a machine.
_LOOKALIKES = str.maketrans("авеёікмнорстухјѕԁԛԝαβεηικνορτυχωɑɡıłøđħʟ", "abeeikmhopctyxjsdqwabenikvoptuxwagiløđhl")
# Blocks: each has its own seed, so that a word said and a word answered fall into different buckets.
_CHARACTERS, _WORDS, _PAIRS, _BEFORE, _EARLIER, _SHORT_AFTER, _SHAPE = (np.uint64(n) for n in range(1, 8))


def normalize(text: str) -> str:
    """Bring a typed text to the form that is counted, with spellings meant to hide a word added in the clear.

    Returns:
        Lower case, one space between pieces; a number becomes zeros, four equal characters become two.
    """
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold().translate(_LOOKALIKES)
    folded = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    shown = [piece.group().translate(_LEET) for piece in _MASKED.finditer(folded)]
    shown += ["".join(filter(str.isalnum, piece.group())) for piece in _SPELLED.finditer(folded)]
    plain = _NUMBER.sub(lambda found: "0" * min(len(found.group()), 12), folded)
    plain = _RUNS.sub(r"\1\1", plain)
    return " ".join(_PIECES.findall(plain) + shown)


def features(inputs: Sequence[ScoringInput]) -> scipy.sparse.csr_array:
    """Hash a batch.

    Returns:
        float32 matrix of shape (len(inputs), 2**18); each block of a row has a fixed length, so long messages do not
        outweigh short ones.
    """
    cache: dict[str, str] = {}

    def clear(text: str) -> str:
        if text not in cache:
            cache[text] = normalize(text)
        return cache[text]

    texts = [clear(one.message.text) for one in inputs]
    last = [clear(one.before[-1].text) if one.before else "" for one in inputs]
    earlier = [clear(one.before[-2].text) if len(one.before) > 1 else "" for one in inputs]
    said = _Hashed(texts)
    answered = _Hashed(last)
    short = np.array([text.count(" ") < 3 for text in texts], dtype=bool)
    blocks = [
        (1.0, said.characters()),
        (0.9, (np.concatenate([said.word_rows, said.pair_rows]), np.concatenate([said.words(_WORDS), said.pairs()]))),
        (0.5, (answered.word_rows, answered.words(_BEFORE))),
        (0.3, _earlier(earlier)),
        (0.5, _only(short, answered.word_rows, answered.words(_SHORT_AFTER))),
        (0.3, _shape(inputs, texts)),
    ]
    rows, columns, values = [], [], []
    for weight, (row, hashes) in blocks:
        keys = np.unique((row.astype(np.uint64) << np.uint64(BITS)) | _bucket(hashes))
        owner = (keys >> np.uint64(BITS)).astype(np.int32)
        counts = np.bincount(owner, minlength=len(inputs))
        rows.append(owner)
        columns.append((keys & np.uint64(BUCKETS - 1)).astype(np.int32))
        values.append((weight / np.sqrt(counts[owner])).astype(np.float32))
    matrix = scipy.sparse.coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(len(inputs), BUCKETS)
    )
    return matrix.tocsr()


class _Hashed:
    """A batch of normalized texts as one row of code points, with the words in it."""

    def __init__(self, texts: Sequence[str]) -> None:
        framed = [f" {text} " for text in texts]
        self.codes = np.frombuffer("".join(framed).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
        self.owner = np.repeat(np.arange(len(framed)), [len(text) for text in framed])
        self.space = self.codes == _SPACE
        inside = ~self.space
        starts = np.flatnonzero(inside & np.concatenate([[True], self.space[:-1]])) if framed else np.array([], int)
        self.word_rows = self.owner[starts]
        position = np.zeros(len(self.codes), dtype=np.int64)
        if len(starts):
            # Position in the word: distance to the word's first character.
            first = np.zeros(len(self.codes), dtype=np.int64)
            first[starts] = starts
            position = np.arange(len(self.codes)) - np.maximum.accumulate(first)
            weighted = np.where(self.space, np.uint64(0), self.codes * _POWERS[position % len(_POWERS)])
            self._words = np.add.reduceat(weighted, starts)
        else:
            self._words = np.array([], dtype=np.uint64)
        same = self.word_rows[1:] == self.word_rows[:-1]
        self._left = np.flatnonzero(same)
        self.pair_rows = self.word_rows[self._left]

    def words(self, block: np.uint64) -> _U64:
        """One hash a word, in step with `word_rows`."""
        return self._words * _MULTIPLIER + block

    def pairs(self) -> _U64:
        """One hash a pair of neighbors, in step with `pair_rows`."""
        left, right = self._words[self._left], self._words[self._left + 1]
        return (left * _MULTIPLIER ^ (right * _MIXER + np.uint64(1))) + _PAIRS

    def characters(self) -> tuple[NDArray[np.int64], _U64]:
        """Rows and hashes of all 2- to 5-grams that do not cross a word's border; the border itself counts."""
        rows, hashes = [], []
        rolling = self.codes * _MULTIPLIER
        allowed = np.ones(len(self.codes), dtype=bool)
        for n in range(2, 6):
            if len(self.codes) < n:
                break
            rolling = (rolling[: len(self.codes) - n + 1] ^ self.codes[n - 1 :]) * _MIXER
            rolling = rolling ^ (rolling >> np.uint64(29))
            allowed = allowed[: len(rolling)]
            # Characters between the first and the last must belong to one word.
            allowed = allowed & ~self.space[n - 2 : n - 2 + len(rolling)] if n > 2 else allowed
            usable = allowed & ~(self.space[: len(rolling)] & self.space[n - 1 :]) if n == 2 else allowed
            rows.append(self.owner[: len(rolling)][usable])
            hashes.append(rolling[usable] + _CHARACTERS + np.uint64(n << 8))
        if not rows:
            return np.array([], dtype=np.int64), np.array([], dtype=np.uint64)
        return np.concatenate(rows), np.concatenate(hashes)


def _earlier(texts: Sequence[str]) -> tuple[NDArray[np.int64], _U64]:
    hashed = _Hashed(texts)
    return hashed.word_rows, hashed.words(_EARLIER)


def _only(chosen: NDArray[np.bool_], rows: NDArray[np.int64], hashes: _U64) -> tuple[NDArray[np.int64], _U64]:
    kept = chosen[rows]
    return rows[kept], hashes[kept]


def _shape(inputs: Sequence[ScoringInput], texts: Sequence[str]) -> tuple[NDArray[np.int64], _U64]:
    """Who speaks, how long, and whether something came before: what no word says."""
    rows, codes = [], []
    for row, (one, text) in enumerate(zip(inputs, texts, strict=True)):
        words = text.count(" ") + 1 if text else 0
        marks = [
            100 + min(words, 6) if words < 7 else 107 + min(words // 8, 5),
            200 + min(len(one.before), 3),
            300 + ["pupil", "teacher", "parent"].index(one.message.role) if one.message.role else 300,
            400 + bool(one.before and one.before[-1].author == one.message.author),
            500 + (not any(map(str.isalnum, text))),
            600 + (one.message.text.isupper() and len(text) > 3),
        ]
        rows += [row] * len(marks)
        codes += marks
    return np.array(rows, dtype=np.int64), np.array(codes, dtype=np.uint64) * _MULTIPLIER + _SHAPE


def _bucket(hashes: _U64) -> _U64:
    mixed = (hashes ^ (hashes >> np.uint64(32))) * _MIXER
    return (mixed ^ (mixed >> np.uint64(32))) * _MULTIPLIER >> np.uint64(64 - BITS)
