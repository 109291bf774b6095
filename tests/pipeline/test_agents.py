"""The agents on a real broker: what breaks the scorer is parked, its neighbours are judged, all are counted."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.counters import Counters, Totals
from pipeline.events import IncomingMessage
from pipeline.groups import GroupLedger, GroupOptIn
from pipeline.intake import Intake
from pipeline.privacy import Keyring
from pipeline.product import free_port
from pipeline.publisher import open_publisher
from pipeline.review.census import take_census
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings, load_settings
from pipeline.topics import FLAGS, MESSAGES
from pipeline.transport.streams import append_records
from tests.conftest import ValkeyServer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def school(tmp_path: Path, valkey_server: ValkeyServer) -> Settings:
    (tmp_path / "var").mkdir()
    return load_settings(
        data=tmp_path / "var", keys=tmp_path / "keys", redis=valkey_server.url, worker_port=free_port()
    )


@pytest.fixture
def start_worker(school: Settings) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start workers on the test's server; all are ended with the test."""
    workers: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        assert school.redis is not None
        environment = {
            **os.environ,
            "VANGNET_DATA": str(school.data),
            "VANGNET_KEYS": str(school.keys),
            "VANGNET_REDIS": school.redis.get_secret_value(),
            "VANGNET_WORKER_PORT": str(school.worker_port),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.worker_with_words"],
            cwd=REPOSITORY,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        workers.append(process)
        return process

    yield start
    for worker in workers:
        worker.kill()
        worker.communicate()


async def settled(redis: Redis, wanted: Callable[[Totals], bool], worker: subprocess.Popen[str]) -> Totals:
    """The totals, once they are as wanted."""
    async with asyncio.timeout(120):
        while True:
            totals = await Counters(redis).totals()
            if wanted(totals):
                return totals
            assert worker.poll() is None, worker.communicate()[1]
            await asyncio.sleep(0.05)


def metrics_of(school: Settings) -> str:
    with closing(urllib.request.urlopen(f"http://127.0.0.1:{school.worker_port}/metrics")) as page:
        return str(page.read(), "utf-8")


def message(number: int, text: str) -> IncomingMessage:
    return IncomingMessage(
        platform="demo",
        platform_group="2b",
        platform_message=f"m{number}",
        author_id="+31600000042",
        author_name="Fenna Aardbei",
        text=text,
        sent_at=1.7e9,
    )


async def test_a_message_that_breaks_the_scorer_is_parked(
    redis: Redis,
    school: Settings,
    start_worker: Callable[[], subprocess.Popen[str]],
    valkey_server: ValkeyServer,
) -> None:
    """Retry, split, dead-letter: one bad message among many ends as *niet beoordeeld*, with its text for a person."""
    keyring = Keyring.open(school.keys)
    ledger = GroupLedger(redis, keyring)
    await ledger.add(
        GroupOptIn(name="2B", platform="demo", platform_group="2b", teacher="docent", purpose="veilige klassenapp")
    )
    texts = ["hoi", "zwam", "KAPOT", "tot morgen", "wat een zwam"]
    async with open_publisher(school, redis) as publisher:
        intake = Intake(ledger, publisher, redis, keyring, school)
        await intake.accept([message(number, text) for number, text in enumerate(texts)])
    # Bytes of another program on two topics: shown to a person, and they stop nothing.
    await append_records(redis, MESSAGES.name, 0, [(b"x", b"\xffrommel")])
    await append_records(redis, FLAGS.name, 1, [(b"x", b"\xffrommel")])
    worker = start_worker()
    totals = await settled(redis, lambda now: now.waiting == 0 and now.scored == 4, worker)
    assert (totals.scored, totals.flagged, totals.parked) == (4, 2, 1)
    store = ReviewStore(redis, keyring)
    async with asyncio.timeout(90):
        # The same rubbish on two topics is one entry; the message that broke the scorer is the other.
        while (await take_census(redis)).flags < 2 or len(await store.parked(None)) < 2:
            await asyncio.sleep(0.05)
    parked = {one.reason: one for one in await store.parked(None)}
    assert set(parked) == {"scoring_error", "undecodable"}
    assert parked["scoring_error"].text == "KAPOT"
    async with asyncio.timeout(90):
        # Offsets are committed twice a second; until then the last batch counts as waiting.
        while 'vangnet_lag_messages{topic="messages"} 0.0' not in (metrics := metrics_of(school)):
            await asyncio.sleep(0.1)
    assert 'vangnet_messages_total{outcome="parked"} 1.0' in metrics
    assert 'vangnet_flagged_label_total{label="pesten"} 2.0' in metrics
    assert "vangnet_received_to_queue_seconds_count 2.0" in metrics
    assert "vangnet_batch_splits_total 1.0" in metrics
    for secret in ("zwam", "KAPOT", "hoi"):
        assert secret not in metrics
    worker.send_signal(signal.SIGTERM)
    _, log = worker.communicate(timeout=90)
    assert worker.returncode == 0, log
    for secret in ("zwam", "KAPOT", "hoi"):
        assert secret not in log
    # Nor on disk: whoever copies the store's files reads no text and no name.
    stored = b"".join(path.read_bytes() for path in valkey_server.folder.rglob("*") if path.is_file())
    assert b"vangnet" in stored
    for secret in ("zwam", "KAPOT", "tot morgen", "Fenna Aardbei", "+31600000042"):
        assert secret.encode() not in stored
