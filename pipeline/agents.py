"""The Faust agents: thin skins around `scoring` and the review store that keep the delivery rules.

Each takes a batch without acknowledging it (`noack_take`), carries it out (`delivery.deliver`: try again, take apart,
park), and acknowledges in order only when everything that follows from it is durable. An error that escapes ends the
worker (CrashingSupervisor); whoever started it starts it again, and the broker hands the batch out anew.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import faust
import msgspec
from mode.supervisors import CrashingSupervisor

from pipeline.codec import decode, encode, peek
from pipeline.delivery import deliver
from pipeline.errors import CodecError
from pipeline.events import FailedMessage, Flag
from pipeline.scoring import UNDECODABLE, Judged, settle
from pipeline.services import WorkerServices
from pipeline.topics import FAILED, FLAGS, MESSAGES, TopicSpec

logger = logging.getLogger(__name__)

_Event = TypeVar("_Event", bound=msgspec.Struct)


def declare_topic(app: faust.App, spec: TopicSpec, partitions: int) -> Any:  # noqa: ANN401  # Faust's topics are generic over anything
    """One of our topics on whatever broker the app has: raw bytes in, raw bytes out."""
    return app.topic(
        spec.name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=partitions,
        retention=spec.retention_seconds,
        internal=True,  # declared by Faust itself before anything is read
    )


def attach_agents(app: faust.App, services: WorkerServices) -> None:
    """Give the app its three agents."""
    messages, flags, failed = (
        declare_topic(app, spec, services.settings.partitions) for spec in (MESSAGES, FLAGS, FAILED)
    )
    work = _Work(services, flags, failed)
    _agent(app, services, messages, "score_messages", work.score, work.park_message)
    _agent(app, services, flags, "queue_flags", work.queue_flags, work.park_flag)
    _agent(app, services, failed, "list_failed", work.list_failed, work.refuse_to_lose)


class _Work:
    """What the agents do with a batch, and with a record that cannot be carried out."""

    def __init__(self, services: WorkerServices, flags: Any, failed: Any) -> None:  # noqa: ANN401
        self._services = services
        self._flags = flags
        self._failed = failed

    async def score(self, raws: Sequence[bytes]) -> None:
        await self._put(await self._services.scoring.judge(raws))

    async def park_message(self, raw: bytes, _error: Exception, attempts: int) -> None:
        await self._put(await self._services.scoring.give_up(raw, attempts))

    async def queue_flags(self, raws: Sequence[bytes]) -> None:
        services = self._services
        opened = [self._opened(raw, Flag) for raw in raws]
        for flag, new in zip(opened, await services.store.add_flags(opened), strict=True):
            if new:
                services.metrics.queued_seconds.observe(max(0.0, services.clock() - flag.received_at))

    async def park_flag(self, raw: bytes, error: Exception, attempts: int) -> None:
        # A flag that cannot be stored is still a message that a person must know of.
        await self._services.store.park(_unreadable(raw, attempts, self._services.clock()))
        logger.error("a flag could not be stored (%s) and is listed as not judged", type(error).__name__)

    async def list_failed(self, raws: Sequence[bytes]) -> None:
        for raw in raws:
            try:
                event = self._opened(raw, FailedMessage)
            except CodecError:
                event = _unreadable(raw, 1, self._services.clock())
            await self._services.store.park(event)

    async def refuse_to_lose(self, _raw: bytes, error: Exception, _attempts: int) -> None:
        raise error

    async def _put(self, judged: Judged) -> None:
        await settle(judged, self._send, self._services.windows)

    async def _send(self, found: Sequence[Flag], unjudged: Sequence[FailedMessage]) -> None:
        cipher = self._services.keyring.text
        futures = [
            await topic.send(key=event.group.encode(), value=encode(event, cipher, event.group))
            for topic, events in ((self._flags, found), (self._failed, unjudged))
            for event in events
        ]
        # Every answer is taken, also of those that fail together: one that nobody took would be told as a stack trace.
        for answer in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer

    def _opened(self, raw: bytes, type_: type[_Event]) -> _Event:
        return decode(raw, type_, lambda _group: self._services.keyring.text)


def _agent(
    app: faust.App,
    services: WorkerServices,
    topic: Any,  # noqa: ANN401
    name: str,
    handle: Callable[[Sequence[bytes]], Awaitable[None]],
    park: Callable[[bytes, Exception, int], Awaitable[None]],
) -> None:
    settings, metrics = services.settings, services.metrics

    @app.agent(topic, name=name, concurrency=1, supervisor_strategy=CrashingSupervisor)
    async def run(stream: Any) -> None:  # noqa: ANN401
        async for events in stream.noack_take(settings.batch_size, within=settings.batch_within):
            await deliver(
                [event.value for event in events],
                handle,
                park,
                on_retry=metrics.retries.inc,
                on_split=metrics.splits.inc,
            )
            for event in events:
                await stream.ack(event)


def _unreadable(raw: bytes, attempts: int, now: float) -> FailedMessage:
    """What is known of a record that does not open: its envelope at most."""
    try:
        group, message_id = peek(raw)
    except CodecError:
        group, message_id = "", ""
    return FailedMessage(
        message_id=message_id or "raw-" + hashlib.sha256(raw).hexdigest()[:32],
        group=group,
        reason=UNDECODABLE,
        attempts=attempts,
        failed_at=now,
    )
