"""`vangnet score`: messages in on standard input, one judgement a line out; needs no broker and keeps nothing."""

import codecs
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import click
import msgspec

from classifiers.corpus.conversations import Conversations
from classifiers.engine import Scorer, open_scorer
from classifiers.errors import ClassifierError, InputError
from classifiers.findings import ScoringInput, Span, Utterance
from classifiers.judgement import Judgement
from classifiers.judgement import judge as judge_all
from classifiers.protocol import OPERATING_POINTS, Policy, load_policy
from classifiers.toxicity.explanation import WORD

BATCH = 64
"""Messages scored at once while more are waiting."""
CHUNK = 1 << 16
LONGEST = 100_000
"""Characters; the pipeline's intake draws the same line."""
LONGEST_LINE = 2 << 20
"""Bytes; LONGEST characters fit however JSON escapes them. Of a longer line nothing is kept: memory has an end."""


class InputLine(msgspec.Struct):
    """One object of the `jsonl` format; further keys are ignored."""

    text: str
    thread: str | int | None = None
    who: str | int | None = None
    sent: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A line that could be read."""

    text: str
    conversation: str | None = None
    who: str | None = None
    sent: float | None = None


@click.command(name="score")
@click.option(
    "--format",
    "form",
    type=click.Choice(["plain", "jsonl"]),
    default="plain",
    show_default=True,
    help="plain: a message a line, each by itself. jsonl: objects with text and optionally thread, who and sent "
    "(seconds); lines of one thread are judged with the conversation before them.",
)
@click.option(
    "--operating-point",
    type=click.Choice(OPERATING_POINTS),
    default="rustig",
    show_default=True,
    help="rustig flags with few false alarms, waakzaam misses less.",
)
@click.option("--model", help="Folder or hub id of another model.  [default: the shipped one]")
def command(form: str, operating_point: str, model: str | None) -> None:
    """Judge messages from standard input, one JSON object a line, in order.

    Ends with status 2 if any line could not be read; such a line gives {"error": ..., "line": n}.
    """
    try:
        scorer, policy = open_scorer(model), load_policy(operating_point)
    except ClassifierError as error:
        raise click.ClickException(str(error)) from error
    failed = False
    for batch in batches(read_lines(sys.stdin.buffer, form == "jsonl")):
        for result in judge(batch, scorer, policy):
            failed = failed or "error" in result
            click.echo(msgspec.json.encode(result))
        sys.stdout.flush()
    if failed:
        sys.exit(2)


Line = Message | InputError | None
"""What came in; None where the input paused, so that what is waiting should be answered."""


def read_lines(stream: IO[bytes], objects: bool) -> Iterator[Line]:  # the format has two values
    """Read lines as they arrive.

    Args:
        stream: Standard input.
        objects: True for JSON objects, False for plain messages.

    Yields:
        A message or what is wrong with it for every line, and None after each piece that arrived.
    """
    read = getattr(stream, "read1", stream.read)
    too_long = InputError(
        f"the line has more than {LONGEST_LINE:,} bytes; the most of a message is {LONGEST:,} characters"
    )
    rest, overflown = b"", False
    # Some editors and shells put a byte order mark before everything.
    chunk = read(CHUNK).removeprefix(codecs.BOM_UTF8)
    while chunk:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield too_long if overflown else _parse(line, objects)
            overflown = False
        overflown = overflown or len(rest) > LONGEST_LINE
        rest = b"" if overflown else rest
        yield None
        chunk = read(CHUNK)
    if rest or overflown:
        yield too_long if overflown else _parse(rest, objects)


def batches(lines: Iterator[Line]) -> Iterator[list[tuple[int, ScoringInput | InputError]]]:
    """Gather numbered lines, each message with its conversation, until a batch is full or the input pauses."""
    conversations = Conversations()
    batch: list[tuple[int, ScoringInput | InputError]] = []
    number = 0
    for line in lines:
        if line is not None:
            number += 1
            batch.append((number, line if isinstance(line, InputError) else conversations.enter(line)))
        if batch and (line is None or len(batch) >= BATCH):
            yield batch
            batch = []
    if batch:
        yield batch


def judge(
    batch: Sequence[tuple[int, ScoringInput | InputError]], scorer: Scorer, policy: Policy
) -> Iterator[dict[str, Any]]:
    """Give one result per line of a batch, in order."""
    judged = iter(judge_all(scorer, policy, [one for _, one in batch if isinstance(one, ScoringInput)]))
    for number, one in batch:
        if isinstance(one, InputError):
            yield {"error": str(one), "line": number}
        else:
            yield result(one.message, next(judged))


def result(message: Utterance, judgement: Judgement) -> dict[str, Any]:
    """The judgement of one message as it is printed."""
    assessment, decision = judgement.assessment, judgement.decision
    # Personal data are told whatever the message is flagged for; the words that carried a label stand after them.
    spans = dict.fromkeys(span for finding in assessment.findings for span in finding.spans)
    return {
        "text": message.text,
        "labels": list(decision.labels),
        "scores": {label: round(score, 6) for label, score in assessment.scores.items()},
        "score": round(assessment.score, 6),
        "clauses": list(decision.clauses),
        "severity": int(decision.severity),
        "spans": [[span.start, span.end, span.type] for span in sorted(spans, key=_in_print)],
        "flag": decision.flagged,
    }


def _in_print(span: Span) -> tuple[bool, int, int, str]:
    return span.type == WORD, span.start, span.end, span.type


_DECODER = msgspec.json.Decoder(InputLine)


def _parse(line: bytes, objects: bool) -> Message | InputError:
    try:
        if not objects:
            message = Message(line.decode("utf-8").removesuffix("\r"))
        else:
            raw = _DECODER.decode(line)
            message = Message(
                raw.text,
                None if raw.thread is None else str(raw.thread),
                None if raw.who is None else str(raw.who),
                raw.sent,
            )
    except UnicodeDecodeError as error:
        return InputError(f"not valid UTF-8 at byte {error.start}; save the input as UTF-8")
    except msgspec.DecodeError as error:
        # The decoder names keys, types and positions, never what stands there.
        return InputError(
            f'{error}; expected an object such as {{"text": "...", "thread": "a", "who": "l1", "sent": 5}}'
        )
    if len(message.text) > LONGEST:
        return InputError(f"the message has {len(message.text):,} characters; the most is {LONGEST:,}")
    return message
