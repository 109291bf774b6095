"""Every change to the review store as one atomic Lua script from `lua/`, called by name."""

from collections.abc import Sequence
from typing import Literal

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from pipeline.review.layout import PREFIX
from pipeline.scripts import load_script

ScriptName = Literal[
    "add_flag", "claim", "decide", "dismiss_parked", "erase_group", "expire", "park", "release", "reveal", "show"
]
Argument = str | bytes | int | float


class Scripts:
    """The scripts, registered with one client; a server that restarted is given them again."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts: dict[str, AsyncScript] = {}

    async def call(self, name: ScriptName, *arguments: Argument) -> object:
        """Run a script and return the server's answer."""
        return await self._script(name)(keys=[PREFIX], args=list(arguments))

    async def call_each(self, name: ScriptName, calls: Sequence[Sequence[Argument]]) -> list[object]:
        """Run a script several times in one round trip, each run atomic by itself; answers in order."""
        script = self._script(name)
        async with self._redis.pipeline(transaction=False) as pipe:
            for arguments in calls:
                await script(keys=[PREFIX], args=list(arguments), client=pipe)
            answers: list[object] = await pipe.execute()
            return answers

    def _script(self, name: ScriptName) -> AsyncScript:
        if name not in self._scripts:
            self._scripts[name] = load_script(self._redis, "review/lua/common", f"review/lua/{name}")
        return self._scripts[name]
