import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from tests.conftest import ValkeyServer

ROOT = Path(__file__).parents[3]
COUNT = 600


def start_writer(server: ValkeyServer, keys: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "tests.pipeline.review.flag_writer", str(server.socket), str(keys), str(COUNT)]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603


def lines_from(writer: subprocess.Popen[str], number: int) -> None:
    assert writer.stdout is not None
    for _ in range(number):
        assert writer.stdout.readline()


async def contents(server: ValkeyServer, keyring: Keyring) -> tuple[object, ...]:
    """Everything that must come out the same: cases with their messages and severity, figures, trail, indexes."""
    async with Redis(unix_socket_path=str(server.socket)) as redis:
        store = ReviewStore(redis, keyring)
        cases = []
        for summary in await store.queue(None, limit=COUNT):
            case = await store.case(summary.case_id, None)
            assert case is not None
            ids = tuple(message.message_id for message in case.messages)
            cases.append((ids, summary.group, summary.severity, summary.messages, summary.labels, summary.raised_by))
        figures = {key: await redis.hgetall(key) async for key in redis.scan_iter(match="vangnet:review:day:*")}
        trail = sorted((entry.action, entry.message_ids) for entry in await store.audit_trail(limit=9999))
        return sorted(cases), figures, trail, (await store.counts()).open, await store.revision()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.mark.parametrize("victim", ["writer", "server"])
async def test_a_kill_and_a_redelivery_end_as_an_undisturbed_run(
    start_valkey: Callable[..., ValkeyServer], keys: Path, victim: str
) -> None:
    """Kill -9 of the process that writes, or of the server under it, three times, then all again: the same store."""
    undisturbed, disturbed = start_valkey(), start_valkey()
    keyring = Keyring.open(keys)
    writer = start_writer(undisturbed, keys)
    _, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors

    for batches in (3, 9, 17):
        writer = start_writer(disturbed, keys)
        lines_from(writer, batches)
        if victim == "server":
            disturbed.kill()
            disturbed.start()
            lines_from(writer, 1)  # it goes on by itself
        writer.kill()
        writer.communicate(timeout=60)
    writer = start_writer(disturbed, keys)
    _, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors
    assert await contents(disturbed, keyring) == await contents(undisturbed, keyring)
