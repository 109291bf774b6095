import json
from collections.abc import Iterator, Sequence
from io import BytesIO

import pytest
from click.testing import CliRunner, Result

from classifiers.commands import score
from classifiers.errors import InputError
from classifiers.findings import Assessment, Finding, ScoringInput, Span
from classifiers.labels import LABELS, Label


class Listener:
    """Flags every message with "dom" in it, sees a phone number in "0612", and remembers what it was asked."""

    version = "proef:1"

    def __init__(self) -> None:
        self.asked: list[list[ScoringInput]] = []
        self.explained: list[str] = []

    def score(self, inputs: Sequence[ScoringInput]) -> list[Assessment]:
        self.asked.append(list(inputs))
        return [
            Assessment(
                p := 0.99 if "dom" in one.message.text else 0.01,
                {label: p if label is Label.FLAMING else 0.0 for label in LABELS},
                _phone(one.message.text),
                "proef:1",
            )
            for one in inputs
        ]

    def forget(self) -> None:
        """Nothing is kept."""

    def explain(self, inputs: Sequence[ScoringInput], labels: Sequence[Label]) -> list[Finding]:
        self.explained += [one.message.text for one in inputs]
        places = [one.message.text.index("dom") for one in inputs]
        return [
            Finding(label, 0.99, "proef", spans=(Span(at, at + 3, "WORD"),))
            for at, label in zip(places, labels, strict=True)
        ]


def _phone(text: str) -> tuple[Finding, ...]:
    at = text.find("0612")
    found = Finding(Label.PERSONAL_DATA, 0.5, "personal_data.phone", spans=(Span(at, at + 4, "PHONE"),))
    return () if at < 0 else (found,)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    listener = Listener()
    monkeypatch.setattr(score, "open_scorer", lambda model: listener)
    return listener


def run(given: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(score.command, list(options), input=given)


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_gets_one_object_in_order(listener: Listener) -> None:
    """The output has the promised keys, and empty lines are answered too."""
    result = run("wat ben jij dom\n\nhoi\n")
    assert result.exit_code == 0
    first, empty, last = lines(result)
    assert list(first) == ["text", "labels", "scores", "score", "clauses", "severity", "spans", "flag"]
    assert first["flag"] is True
    assert first["labels"] == ["flamen"]
    assert first["clauses"] == ["5.1.h.V"]
    assert first["severity"] == 2
    assert first["scores"] == {label: 0.99 if label == "flamen" else 0.0 for label in LABELS}
    assert (empty["text"], empty["flag"]) == ("", False)
    assert (last["text"], last["labels"], last["clauses"], last["severity"]) == ("hoi", [], [], 0)
    assert all(not one.before for batch in listener.asked for one in batch)


def test_words_that_carried_a_flag_stand_after_the_personal_data(listener: Listener) -> None:
    """Personal data are always told, and first; only flagged lines are explained, since that is costly."""
    first, second, third = lines(run("jij bent dom 0612\nbel 0612\nhoi\n"))
    assert first["spans"] == [[13, 17, "PHONE"], [9, 12, "WORD"]]
    assert (second["flag"], second["spans"]) == (False, [[4, 8, "PHONE"]])
    assert third["spans"] == []
    assert listener.explained == ["jij bent dom 0612"]


def test_a_thread_is_judged_with_the_conversation_before_it(listener: Listener) -> None:
    """Interleaved threads are kept apart, and who said what reaches the classifier."""
    given = [
        {"text": "een", "thread": "a", "who": "l1", "sent": 0},
        {"text": "x", "thread": 7, "who": "l1", "sent": 0},
        {"text": "twee", "thread": "a", "who": "l2", "sent": 5, "labels": []},
        {"text": "los"},
    ]
    assert run("\n".join(json.dumps(line) for line in given), "--format", "jsonl").exit_code == 0
    asked = [one for batch in listener.asked for one in batch]
    assert [[said.text for said in one.before] for one in asked] == [[], [], ["een"], []]
    assert asked[2].message.author == "l2"
    assert asked[2].message.sent == 5


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"text": "geheim"', "truncated"),
        (b"", "truncated"),
        (b"[1]", "Expected `object`"),
        (b'{"tekst": "geheim"}', "`text`"),
        (b'{"text": "geheim", "sent": "geheim"}', "$.sent"),
        (b'{"text": "geheim\xff"}', "byte"),
        (json.dumps({"text": "geheim" * 20_000}).encode(), "120,000 characters"),
    ],
)
@pytest.mark.usefixtures("listener")
def test_a_malformed_line_is_named_and_the_run_goes_on(line: bytes, says: str) -> None:
    """The error gives the line's number and never its text; the status is 2."""
    result = run(b'{"text": "hoi"}\n' + line + b'\n{"text": "dag"}\n', "--format", "jsonl")
    assert result.exit_code == 2
    before, wrong, after = lines(result)
    assert (before["text"], after["text"]) == ("hoi", "dag")
    assert wrong["line"] == 2
    assert says in str(wrong["error"])
    assert "geheim" not in str(wrong["error"])


@pytest.mark.usefixtures("listener")
def test_a_plain_line_that_is_no_utf_8_is_an_error_object() -> None:
    """Bytes of another encoding are not guessed at."""
    result = run(b"caf\xe9\nhoi\r\n")
    assert result.exit_code == 2
    wrong, fine = lines(result)
    assert wrong["line"] == 1
    assert fine["text"] == "hoi"


class Slow(BytesIO):
    """An input in pieces, as a pipe gives them."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def read1(self, size: int | None = -1, /) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def test_what_has_arrived_is_answered_before_waiting_for_more() -> None:
    """A line cut in two waits for its end, and nothing else waits for it."""
    arrived = score.read_lines(Slow([b"een\ntw", b"ee\n", b"drie"]), objects=False)
    found = [
        [one.message.text for _, one in batch if isinstance(one, ScoringInput)] for batch in score.batches(arrived)
    ]
    assert found == [["een"], ["twee"], ["drie"]]


def test_waiting_lines_are_scored_in_batches() -> None:
    """Many lines at once go through the model together, for speed."""
    arrived = score.read_lines(BytesIO(b"hoi\n" * 1000), objects=False)
    sizes = [len(batch) for batch in score.batches(arrived)]
    assert max(sizes) == score.BATCH
    assert sum(sizes) == 1000


def test_an_unknown_model_is_one_clear_sentence() -> None:
    """No stack trace, status 1."""
    result = run("hoi\n", "--model", "bestaat-niet-abc")
    assert result.exit_code == 1
    assert "bestaat-niet-abc" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("listener")
def test_a_line_without_end_is_an_error_object_and_is_not_kept() -> None:
    """A line beyond all measure takes no memory of its size; the lines around it are judged."""
    result = run(b"hoi\n" + b"a" * (score.LONGEST_LINE + 3 * score.CHUNK) + b"\ndag\n" + b"b" * (3 << 20))
    assert result.exit_code == 2
    first, long, last, cut = lines(result)
    assert (first["text"], last["text"]) == ("hoi", "dag")
    assert (long["line"], cut["line"]) == (2, 4)
    assert "the most of a message is 100,000 characters" in str(long["error"])
    pieces = score.read_lines(Slow([b"a" * (1 << 20)] * 5), objects=False)
    assert [type(one) for one in pieces if one is not None] == [InputError]


@pytest.mark.usefixtures("listener")
def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    """What a Windows editor saved is read as what was typed."""
    assert lines(run(b'\xef\xbb\xbf{"text": "hoi"}\n', "--format", "jsonl"))[0]["text"] == "hoi"


def endless() -> Iterator[score.Line]:
    while True:
        yield score.Message("hoi", "a")


def test_an_endless_input_is_answered_as_it_comes() -> None:
    """Nothing waits for an end that never comes."""
    assert len(next(score.batches(endless()))) == score.BATCH
