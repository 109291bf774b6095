"""Writes down what the corpus holds after a change to it: `python -m classifiers.corpus.record`.

Two files follow from the parts: `splits.json`, by which a moved line is noticed, and the tables of `DATASHEET.md`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from classifiers.corpus.load import SPLITS, TEST, TRAIN, VALIDATION, CorpusLine, load_corpus, split_checksums
from classifiers.labels import LABELS

DATASHEET = Path(__file__).parent / "DATASHEET.md"
BEGIN, END = "<!-- counted: begin -->", "<!-- counted: end -->"


def composition(lines: Sequence[CorpusLine]) -> str:
    """Count the corpus as Markdown tables."""
    conversations = {line.conversation for line in lines if line.conversation}
    troubled = {line.conversation for line in lines if line.conversation and line.labels}
    in_conversation = sum(line.thread is not None for line in lines)
    words = sorted(len(line.text.split()) for line in lines)
    kinds = Counter(line.kind.partition(":")[0] for line in lines)
    speakers = Counter((line.who or "-")[0] for line in lines)
    several = sum(len(line.labels) > 1 for line in lines)
    parts = [
        f"{len(lines):,} lines, {in_conversation:,} of them in {len(conversations):,} conversations, of which "
        f"{len(troubled):,} hold at least one labeled line. {sum(bool(line.labels) for line in lines):,} lines are "
        f"labeled, {several:,} with several labels. Half of the lines have at most {words[len(words) // 2]} words, "
        f"nine in ten at most {words[len(words) * 9 // 10]}.",
        _table(["label", "lines", TRAIN, VALIDATION, TEST], [_sides(name, lines) for name in [*LABELS, "none", "all"]]),
        _table(["kind", "lines"], [[kind, f"{count:,}"] for kind, count in kinds.most_common()]),
        _table(
            ["who speaks", "lines"],
            [[name, f"{speakers[letter]:,}"] for letter, name in _SPEAKERS.items()],
        ),
        _table(
            ["part", "lines", "conversations", "labeled"],
            [
                [
                    file,
                    f"{sum(line.file == file for line in lines):,}",
                    f"{len({line.thread for line in lines if line.file == file and line.thread}):,}",
                    f"{sum(line.file == file and bool(line.labels) for line in lines):,}",
                ]
                for file in sorted({line.file for line in lines})
            ],
        ),
    ]
    return "\n\n".join(parts)


_SPEAKERS = {"l": "pupil", "d": "teacher", "o": "parent", "-": "nobody named (a line on its own)"}


def _sides(name: str, lines: Sequence[CorpusLine]) -> list[str]:
    """How often a label, no label or anything stands in the whole corpus and on each side."""
    held = [
        line.split for line in lines if name in line.labels or name == "all" or (name == "none" and not line.labels)
    ]
    side = Counter(held)
    return [name, f"{len(held):,}", *(f"{side[each]:,}" for each in (TRAIN, VALIDATION, TEST))]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def counted(path: Path = DATASHEET) -> str:
    """The counted part of the datasheet as it stands."""
    return path.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def record() -> None:
    """Bring both files up to date."""
    lines = load_corpus()
    SPLITS.write_text(json.dumps(split_checksums(lines), indent=1) + "\n", encoding="utf-8")
    head, _, rest = DATASHEET.read_text(encoding="utf-8").partition(BEGIN)
    DATASHEET.write_text(
        f"{head}{BEGIN}\n{composition(lines)}\n{END}{rest.partition(END)[2]}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    record()
