"""A process for the crash tests: puts the same flags into the store in batches, telling after each how far it is.

Run as `python flag_writer.py SOCKET KEYS COUNT`; it always starts at the first flag, as a redelivery would.
"""

import asyncio
import sys
from pathlib import Path

from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from tests.pipeline.review.factories import MONDAY, make_flag

BATCH = 20


async def write(socket: str, keys: Path, count: int) -> None:
    keyring = Keyring.open(keys)
    flags = [
        make_flag(
            keyring, message_id=f"m{number}", group=f"klas-{number % 3}", author=f"a{number % 7}",
            sent_at=MONDAY + number * 60,
        )
        for number in range(count)
    ]  # fmt: skip
    async with Redis(unix_socket_path=socket) as redis:
        store = ReviewStore(redis, keyring)
        for start in range(0, count, BATCH):
            await store.add_flags(flags[start : start + BATCH])
            sys.stdout.write(f"{start}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
