"""Lua scripts of the pipeline: each lies beside the module that runs it and is sent to the server once."""

from functools import cache
from importlib.resources import files

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

PREFIX = "vangnet"
"""Every key that the pipeline keeps in Redis begins with it."""


@cache
def script_text(*names: str) -> str:
    """Read scripts of this package and join them; an earlier one may define functions for a later one."""
    package = files(__package__)
    return "\n".join((package / f"{name}.lua").read_text("utf-8") for name in names)


def load_script(redis: Redis, *names: str) -> AsyncScript:
    """Give a script to call with `keys` and `args`; it runs by its hash and is sent again when the server forgot it."""
    script: AsyncScript = redis.register_script(script_text(*names))
    return script


def as_text(answer: bytes | str) -> str:
    """Give an id or a name from an answer of the server."""
    return answer.decode() if isinstance(answer, bytes) else answer
