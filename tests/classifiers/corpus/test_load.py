import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import classifiers.corpus as corpus_package
from classifiers.corpus.load import (
    PART_LINE,
    SPAN_TYPES,
    SPLITS,
    CorpusLine,
    load_corpus,
    read_part,
    split_checksums,
    split_of,
)
from classifiers.corpus.record import composition, counted
from classifiers.errors import CorpusError
from classifiers.labels import LABELS, Label

CORRECTIONS = Path(corpus_package.__file__).parent / "CORRECTIONS.md"


@pytest.fixture(scope="module")
def corpus() -> list[CorpusLine]:
    return load_corpus()


def test_every_line_keeps_the_form_of_the_guide(corpus: list[CorpusLine]) -> None:
    """Texts, kinds, labels and speakers are what the guide says they are."""
    kinds = {"plain", "hard_negative", "hard_positive", "obfuscated"}
    for line in corpus:
        where = f"{line.file}:{line.index + 1}"
        assert 1 <= len(line.text) <= 1200, where
        assert line.text.strip(), where
        assert line.kind in kinds or line.kind.removeprefix("pair:").isdigit(), where
        assert len(set(line.labels)) == len(line.labels), where
        assert (line.thread is None) == (line.who is None), where
        assert line.who is None or (line.who[0] in "ldo" and line.who[1:].isdigit()), where


def test_spans_lie_in_their_text_and_only_where_personal_data_is_labeled(corpus: list[CorpusLine]) -> None:
    """A span never points outside its message and never at a message without the label."""
    for line in corpus:
        for span in line.spans:
            where = f"{line.file}:{line.index + 1}"
            assert 0 <= span.start < span.end <= len(line.text), where
            assert span.type in SPAN_TYPES, where
            assert Label.PERSONAL_DATA in line.labels, where


def test_a_conversation_stands_together_and_runs_forward(corpus: list[CorpusLine]) -> None:
    """Lines of a conversation are neighbors in the file, and their times never run back."""
    ended: set[str] = set()
    before: CorpusLine | None = None
    for line in corpus:
        same = before is not None and before.conversation == line.conversation
        if before is not None and before.conversation is not None and not same:
            ended.add(before.conversation)
        assert line.conversation not in ended, f"{line.file}:{line.index + 1}"
        if same and before is not None and before.sent is not None and line.sent is not None:
            assert before.sent <= line.sent, f"{line.file}:{line.index + 1}"
        before = line


def test_nothing_that_belongs_together_is_parted_by_the_split(corpus: list[CorpusLine]) -> None:
    """Conversations, pair sets, personas and standalone letter-for-letter twins are on one side each."""
    sides: dict[str, set[str]] = defaultdict(set)
    for line in corpus:
        ties = [f"thread {line.conversation}" if line.conversation else f"text {line.text}"]
        if line.kind.startswith("pair:"):
            ties.append(f"{line.file} {line.kind}")
        if line.persona:
            ties.append(f"persona {line.persona}")
        for tie in ties:
            sides[tie].add(line.split)
    assert not [tie for tie, found in sides.items() if len(found) > 1]


def test_long_texts_are_written_twice_only_in_twin_conversations(corpus: list[CorpusLine]) -> None:
    """Short replies repeat as they do in life; a message of six real words returns only where the story turns."""
    places: dict[str, list[str]] = defaultdict(list)
    for line in corpus:
        if sum(len(word) > 1 for word in line.text.split()) >= 6:
            # Twins are named alike but for their last letter: tw001a, tw001b.
            places[line.text].append((line.conversation or f"{line.file}:{line.index}")[:-1])
    assert not [found for found in places.values() if len(set(found)) > 1]


def test_the_split_is_the_committed_one(corpus: list[CorpusLine]) -> None:
    """A change to the code or the corpus never moves a line from one side to the other unseen."""
    assert split_checksums(corpus) == json.loads(SPLITS.read_text())


def test_each_side_holds_its_share_of_every_label(corpus: list[CorpusLine]) -> None:
    """About 88, six and six in a hundred, and no label is missing or twice as common on one side."""
    share = Counter(line.split for line in corpus)
    assert share["train"] / len(corpus) == pytest.approx(0.88, abs=0.02)
    assert share["validation"] / len(corpus) == pytest.approx(0.06, abs=0.01)
    for label in LABELS:
        overall = sum(label in line.labels for line in corpus) / len(corpus)
        for side, lines in share.items():
            there = sum(label in line.labels for line in corpus if line.split == side) / lines
            assert 0.5 * overall < there < 2 * overall, (label, side)


def test_most_lines_are_harmless_and_stand_in_conversations(corpus: list[CorpusLine]) -> None:
    """The balance that the datasheet states: a fifth to a third is labeled, two thirds stand in conversations."""
    labeled = sum(bool(line.labels) for line in corpus) / len(corpus)
    in_conversation = sum(line.thread is not None for line in corpus) / len(corpus)
    assert 0.2 < labeled < 0.34
    assert in_conversation > 0.6


def test_a_split_has_the_shares_it_promises() -> None:
    """The hash spreads evenly: of many names eight, one and one tenths fall on each side."""
    share = Counter(split_of(f"group {n}") for n in range(20_000))
    assert share["train"] == pytest.approx(17_600, abs=300)
    assert share["validation"] == pytest.approx(1_200, abs=150)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": "hoi", "labels": ["onzin"]}', "line 2"),
        ('{"text": "hoi", "labels": [], "tekst": 1}', "unknown field `tekst`"),
        ('{"text": "hoi"', "line 2"),
        ('{"text": 5, "labels": []}', "$.text"),
    ],
)
def test_a_broken_line_is_named_without_its_text(tmp_path: Path, line: str, says: str) -> None:
    """Whoever writes a corpus line learns which line and which key is wrong."""
    part = tmp_path / "deel.jsonl"
    part.write_text('{"text": "geheime tekst", "labels": []}\n' + line + "\n")
    with pytest.raises(CorpusError) as caught:
        read_part(part, PART_LINE)
    assert says in str(caught.value)
    assert "deel.jsonl" in str(caught.value)
    assert "geheime" not in str(caught.value)


def test_a_missing_file_or_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    """No corpus means a sentence, not an empty training set."""
    with pytest.raises(CorpusError, match="no corpus in"):
        load_corpus(tmp_path)
    with pytest.raises(CorpusError, match="cannot read"):
        read_part(tmp_path / "weg.jsonl", PART_LINE)


def test_the_datasheet_counts_what_is_there(corpus: list[CorpusLine]) -> None:
    """Whoever reads the datasheet reads today's figures: `python -m classifiers.corpus.record` writes them."""
    assert counted() == composition(corpus)


def test_every_correction_is_in_the_corpus(corpus: list[CorpusLine]) -> None:
    """The list of corrected labels names lines that bear the new labels."""
    labels = {(line.file, line.index + 1): {label.value for label in line.labels} for line in corpus}
    rows = [line.split("|") for line in CORRECTIONS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    checked = 0
    for _, part, number, _, new, _, _ in (row for row in rows if len(row) == 7 and row[2].strip().isdigit()):
        assert labels[part.strip(), int(number)] == {one.strip() for one in new.split(",")} - {"-"}, (part, number)
        checked += 1
    assert checked > 100
