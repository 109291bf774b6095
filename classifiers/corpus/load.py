"""Reads the corpus into frozen records and says on which side of the split each line stands.

The split is a pure function of the lines: lines that belong together (one conversation, one pair set, one persona,
standalone twins letter for letter) form a group, and the sha256 of the group's name decides. No model can learn a test
conversation by its twin. Checked against the committed `splits.json`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from classifiers.errors import CorpusError
from classifiers.findings import Span
from classifiers.labels import Label

PARTS = Path(__file__).parent / "parts"
SPLITS = Path(__file__).parent / "splits.json"

TRAIN, VALIDATION, TEST = "train", "validation", "test"

SPAN_TYPES = frozenset(
    {"PHONE", "EMAIL", "ADDRESS", "POSTCODE", "BSN", "IBAN", "PAYMENT_LINK", "DATE_OF_BIRTH", "LICENCE_PLATE"}
    | {"STUDENT_ID", "DOCUMENT", "CREDENTIAL", "HANDLE", "LOCATION", "NAME", "HEALTH", "FAMILY", "MARKS", "OTHER"}
)


@dataclass(frozen=True, slots=True)
class CorpusLine:
    """One invented message with the labels a careful mentor would give it."""

    file: str
    """Name of the part without `.jsonl`."""
    index: int
    """Line in that part, from 0."""
    text: str
    labels: tuple[Label, ...]
    kind: str
    """`plain`, `hard_negative`, `hard_positive`, `obfuscated` or `pair:<n>`."""
    thread: str | None
    """Conversation, unique within the file only; its lines stand in order."""
    who: str | None
    """Speaker within the thread: `l1` a pupil, `d1` a teacher, `o1` a parent."""
    sent: float | None
    """Seconds since the conversation's first message."""
    spans: tuple[Span, ...]
    persona: str | None
    split: str
    """`train`, `validation` or `test`."""
    group: str = ""
    """Name of the lines that stay together on one side of a split, or in one fold."""

    @property
    def conversation(self) -> str | None:
        """Name of the conversation over all files, None for a message on its own."""
        return None if self.thread is None else f"{self.file}/{self.thread}"


class LabelledLine(msgspec.Struct):
    """A line as it stands in a file to be measured on."""

    text: str
    labels: list[Label]
    kind: str = "plain"
    thread: str | None = None
    who: str | None = None
    sent: float | None = None
    spans: list[tuple[int, int, str]] | None = None
    persona: str | None = None


class RawLine(LabelledLine, forbid_unknown_fields=True):
    """A line as it stands in a part of the corpus, where a misspelled key is a mistake."""


PART_LINE = msgspec.json.Decoder(RawLine)


def load_corpus(folder: Path = PARTS) -> list[CorpusLine]:
    """Read every part, in order of file name and line.

    Raises:
        CorpusError: A line breaks the form; the text names file and line.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise CorpusError(f"no corpus in {folder}: expected files *.jsonl as described in classifiers/corpus/GUIDE.md")
    raw = [(path.stem, index, line) for path in paths for index, line in enumerate(read_part(path, PART_LINE))]
    groups = split_groups(raw)
    return [
        CorpusLine(
            file=file,
            index=index,
            text=line.text,
            labels=tuple(line.labels),
            kind=line.kind,
            thread=line.thread,
            who=line.who,
            sent=line.sent,
            spans=tuple(Span(*span) for span in line.spans or ()),
            persona=line.persona,
            split=split_of(group),
            group=group,
        )
        for (file, index, line), group in zip(raw, groups, strict=True)
    ]


_Line = TypeVar("_Line", bound=LabelledLine)


def read_part(path: Path, decoder: msgspec.json.Decoder[_Line]) -> list[_Line]:
    """Read one file of lines.

    Raises:
        CorpusError: The file is missing or a line breaks the form.
    """
    lines = []
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}; give the path of a corpus file") from error
    for number, encoded in enumerate(content.splitlines(), 1):
        try:
            line = decoder.decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # The decoder's text names keys and types, never the message.
            raise CorpusError(f"{path.name} line {number}: {error}; see classifiers/corpus/GUIDE.md") from error
        lines.append(line)
    return lines


def read_labelled(path: Path) -> list[CorpusLine]:
    """Read a file of labeled lines in the corpus' form to be measured on; further keys are allowed, splits are not.

    Raises:
        CorpusError: The file is missing or a line breaks the form.
    """
    raw = read_part(path, msgspec.json.Decoder(LabelledLine))
    return [
        CorpusLine(
            file=path.stem,
            index=index,
            text=line.text,
            labels=tuple(line.labels),
            kind=line.kind,
            thread=line.thread,
            who=line.who,
            sent=line.sent,
            spans=tuple(Span(*span) for span in line.spans or ()),
            persona=line.persona,
            split=TEST,
        )
        for index, line in enumerate(raw)
    ]


def split_groups(lines: Sequence[tuple[str, int, RawLine]]) -> list[str]:
    """Name, per line, the group of lines that must stay on one side of the split.

    The name is the smallest of the group's ties, so it does not change when a label is corrected, a text of a
    conversation is retyped or a line is added at the end of a file.
    """
    parent: dict[str, str] = {}

    def find(tie: str) -> str:
        root = tie
        while (up := parent.setdefault(root, root)) != root:
            root = up
        while parent[tie] != root:
            parent[tie], tie = root, parent[tie]
        return root

    firsts = []
    for file, _, line in lines:
        first, *others = _ties(file, line)
        for other in others:
            one, two = sorted((find(first), find(other)))
            parent[two] = one
        firsts.append(first)
    return [find(first) for first in firsts]


def _ties(file: str, line: RawLine) -> Iterable[str]:
    """What a line shares with the lines it must not be parted from."""
    if line.thread is not None:
        yield f"{file}/thread:{line.thread}"
    else:
        yield "text:" + hashlib.sha256(line.text.encode()).hexdigest()
    if line.kind.startswith("pair:"):
        yield f"{file}/{line.kind}"
    if line.persona is not None:
        yield f"{file}/persona:{line.persona}"


def split_of(group: str) -> str:
    """Side of the split on which a group stands: 88 in a hundred train, 6 validation, 6 test.

    Six in a hundred are 4,800 lines, enough to choose thresholds; the model gains more from the rest.
    """
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) / 2**64
    if share < 0.88:
        return TRAIN
    return VALIDATION if share < 0.94 else TEST


def split_checksums(lines: Iterable[CorpusLine]) -> dict[str, str]:
    """Checksum per file of the side on which each of its lines stands, for comparison with `splits.json`."""
    sides: dict[str, list[str]] = {}
    for line in lines:
        sides.setdefault(line.file, []).append(line.split[:2])
    return {file: f"{len(side)}:{hashlib.sha256(' '.join(side).encode()).hexdigest()}" for file, side in sides.items()}
