"""One worker a consumer group: a lease in Redis that its owner renews and that every commit checks.

A Redis stream has no group coordinator in this transport: a worker owns all partitions. Two workers would each read
everything, so the second waits for the first one's lease. A worker that was killed leaves its lease behind; one on the
same machine sees that the process is gone and takes over at once, any other waits until the lease ends by itself.
"""

import os
import secrets
import socket
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from pipeline.transport.streams import PREFIX, script

LEASE_SECONDS: Final = 5.0
"""How long a lease lasts without renewal."""
RENEW_SECONDS: Final = 1.5
"""How often its owner renews it."""


class Lease:
    """The right to run one consumer group."""

    def __init__(self, redis: Redis, group: str, *, seconds: float = LEASE_SECONDS) -> None:
        self.redis = redis
        self.name = f"{PREFIX}:lease:{group}"
        self.seconds = seconds
        self.token = f"{socket.gethostname()}|{os.getpid()}|{_process_space()}|{secrets.token_hex(8)}"
        """Who holds it: host, process id, the space in which that id counts, and a nonce."""

    async def hold(self) -> str | None:
        """Take the lease, or renew it when it is ours already.

        Returns:
            None when we hold it, else who does, as `process 123 on host`.
        """
        holder = await self._renew()
        if holder != self.token and _is_gone(holder):
            await script("release").run(self.redis, [self.name], [holder])
            holder = await self._renew()
        if holder == self.token:
            return None
        host, process, *_ = holder.split("|")
        return f"process {process} on {host}"

    async def release(self) -> None:
        """Give it up; nothing happens when it is another's."""
        await script("release").run(self.redis, [self.name], [self.token])

    async def _renew(self) -> str:
        holder: bytes = await script("renew").run(self.redis, [self.name], [self.token, int(self.seconds * 1000)])
        return holder.decode()


def _process_space() -> str:
    """Name where a process id means one process: this boot and this container. Empty where that is unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_gone(holder: str) -> bool:
    """True only when the holder surely runs no more: its process id counts here and is nobody's."""
    _, process, space, _ = holder.split("|")
    if not space or space != _process_space():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
