"""WHERE A MESSAGE IS SCORED: opened, joined to its conversation, judged by the engine, weighed by the protocol.

No Faust here: `ScoringStep.judge` turns the raw records of a batch into what must be sent and what must be written
down; the agent sends first and writes down second, so that a crash in between repeats the work and loses nothing.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from classifiers.engine import Scorer
from classifiers.findings import ScoringInput, Utterance
from classifiers.judgement import Judgement, judge
from classifiers.protocol import Policy
from pipeline.codec import decode, peek
from pipeline.context import ContextWindows, Outcome
from pipeline.errors import CodecError, KeyDestroyedError
from pipeline.events import ChatMessage, ContextMessage, FailedMessage, Flag
from pipeline.groups import GroupLedger
from pipeline.metrics import WorkerMetrics

UNDECODABLE = "undecodable"
SCORING_ERROR = "scoring_error"
MOST_JUDGED_AT_ONCE = 64
"""A backlog is taken in larger batches, since each costs the store a few round trips."""


@dataclass(slots=True)
class Judged:
    """What became of a batch, in the order of its messages."""

    flags: list[Flag] = field(default_factory=list)
    failed: list[FailedMessage] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    """To be written down after `flags` and `failed` are durable."""


@dataclass(frozen=True, slots=True)
class _Opened:
    messages: list[ChatMessage]
    judged: Judged


class ScoringStep:
    """Judges batches of records of topic `messages`.

    Args:
        scorer: The classifiers.
        policy: Thresholds and clauses.
        ledger: For each group's key and state.
        windows: The last messages of each group, and the outcomes already written down.
        executor: One thread in which the classifiers run, beside the event loop.
        metrics: Where batch size and latency are observed.
        clock: Unix time.
    """

    def __init__(
        self,
        *,
        scorer: Scorer,
        policy: Policy,
        ledger: GroupLedger,
        windows: ContextWindows,
        executor: Executor,
        metrics: WorkerMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._scorer = scorer
        self._policy = policy
        self._ledger = ledger
        self._windows = windows
        self._executor = executor
        self._metrics = metrics
        self._clock = clock
        self._removed: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """Name and version of the model that judges."""
        return self._scorer.version

    async def forget_removed(self) -> bool:
        """Let the classifiers drop what they keep of messages when a group has opted out since the last look.

        Returns:
            True when something was dropped.
        """
        removed = frozenset(record.id for record in await self._ledger.removed())
        fresh = removed - self._removed
        self._removed = removed
        if fresh:
            # In the scoring thread, so never in the middle of a batch.
            await asyncio.get_running_loop().run_in_executor(self._executor, self._scorer.forget)
        return bool(fresh)

    async def judge(self, raws: Sequence[bytes]) -> Judged:
        """Judge a batch.

        Messages whose outcome is already written down are left out, so a record that is delivered again changes
        nothing; every other record gets exactly one outcome.
        """
        opened = await self._open(raws)
        await self._judge_opened(opened)
        return opened.judged

    async def _open(self, raws: Sequence[bytes]) -> _Opened:
        """Open the records that can be opened and are not settled yet."""
        judged = Judged()
        envelopes: dict[str, tuple[bytes, str]] = {}
        for raw in raws:
            try:
                envelope = peek(raw)
            except CodecError:
                judged.failed.append(self._undecodable(raw, ""))
                continue
            # The same message may lie on the topic twice: a connector tried again after a crash.
            envelopes.setdefault(envelope.message_id, (raw, envelope.group))
        settled = await self._windows.already(list(envelopes))
        ciphers = await self._ledger.ciphers([group for _, group in envelopes.values()])
        messages = []
        for message_id, (raw, group) in envelopes.items():
            if message_id in settled:
                continue
            try:
                messages.append(decode(raw, ChatMessage, ciphers))
            except KeyDestroyedError:
                judged.outcomes.append(Outcome.purged(message_id, group))
            except CodecError:
                judged.failed.append(self._undecodable(raw, group, message_id))
                judged.outcomes.append(Outcome.parked(message_id, group, UNDECODABLE))
        return _Opened(messages, judged)

    async def _judge_opened(self, opened: _Opened) -> None:
        judged = opened.judged
        groups = list(dict.fromkeys(message.group for message in opened.messages))
        held = await self._ledger.read(groups)
        windows = await self._windows.read(groups)
        to_score = []
        for message in opened.messages:
            group = held.get(message.group)
            if group is None:
                # Opted out between reading the key and now.
                judged.outcomes.append(Outcome.purged(message.message_id, message.group))
            elif group.in_lesson(message.sent_at):
                judged.outcomes.append(Outcome.lesson(message))
            else:
                to_score.append(message)
        contexts = self._windows.conversations(to_score, windows)
        inputs = [
            ScoringInput(_as_utterance(message), tuple(map(_as_utterance, context)))
            for message, context in zip(to_score, contexts, strict=True)
        ]
        judgements = await self._score(inputs)
        for message, context, judgement in zip(to_score, contexts, judgements, strict=True):
            decision = judgement.decision
            if decision.flagged:
                judged.flags.append(self._flag(message, context, judgement))
                judged.outcomes.append(Outcome.flagged(message, map(str, decision.labels), decision.clauses))
            else:
                judged.outcomes.append(Outcome.scored(message))

    async def _score(self, inputs: list[ScoringInput]) -> list[Judgement]:
        if not inputs:
            return []
        started = time.perf_counter()
        judgements = await asyncio.get_running_loop().run_in_executor(self._executor, self._judge_in_parts, inputs)
        self._metrics.scoring_seconds.observe(time.perf_counter() - started)
        self._metrics.batch_size.observe(len(inputs))
        return judgements

    def _judge_in_parts(self, inputs: list[ScoringInput]) -> list[Judgement]:
        """Judge in the scoring thread, so many at once that the classifiers' memory stays bounded."""
        parts = (inputs[at : at + MOST_JUDGED_AT_ONCE] for at in range(0, len(inputs), MOST_JUDGED_AT_ONCE))
        return [judgement for part in parts for judgement in judge(self._scorer, self._policy, part)]

    def _flag(self, message: ChatMessage, context: tuple[ContextMessage, ...], judgement: Judgement) -> Flag:
        assessment, decision = judgement.assessment, judgement.decision
        return Flag(
            message_id=message.message_id,
            group=message.group,
            author=message.author,
            author_sealed=message.author_sealed,
            role=message.role,
            text=message.text,
            sent_at=message.sent_at,
            received_at=message.received_at,
            scored_at=self._clock(),
            reply_to=message.reply_to,
            before=context,
            score=assessment.score,
            labels=tuple(map(str, decision.labels)),
            scores={str(label): score for label, score in assessment.scores.items()},
            clauses=decision.clauses,
            severity=int(decision.severity),
            spans=tuple((span.start, span.end, span.type) for span in decision.spans),
            why=decision.why,
            model=assessment.model,
        )

    def _undecodable(self, raw: bytes, group: str, message_id: str = "") -> FailedMessage:
        """A record that is no record of ours still becomes one entry that a person sees, however often it comes."""
        return FailedMessage(
            message_id=message_id or "raw-" + hashlib.sha256(raw).hexdigest()[:32],
            group=group,
            reason=UNDECODABLE,
            attempts=1,
            failed_at=self._clock(),
        )

    async def give_up(self, raw: bytes, attempts: int) -> Judged:
        """What to send and write down for one record that could not be judged."""
        opened = await self._open([raw])
        for message in opened.messages:
            opened.judged.failed.append(
                FailedMessage(
                    message_id=message.message_id,
                    group=message.group,
                    reason=SCORING_ERROR,
                    attempts=attempts,
                    failed_at=self._clock(),
                    message=message,
                )
            )
            opened.judged.outcomes.append(Outcome.parked(message.message_id, message.group, SCORING_ERROR))
        return opened.judged


def _as_utterance(message: ChatMessage | ContextMessage) -> Utterance:
    return Utterance(message.text, message.author, message.sent_at, message.role)


Send = Callable[[Sequence[Flag], Sequence[FailedMessage]], Awaitable[None]]
"""Puts flags and failed messages on their topics; returns when they are durable."""


async def settle(judged: Judged, send: Send, windows: ContextWindows) -> None:
    """Send what was found, then write down that it was: the order that makes a crash harmless."""
    await send(judged.flags, judged.failed)
    await windows.commit(judged.outcomes)
