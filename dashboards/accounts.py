"""The users of the pages, in Redis: a name, a role and an argon2 hash of the password.

A password reset gives the account a new generation; a session carries the generation it was made under, so every
session ends at the reset. Failed sign-ins are counted per name and per address before the password is looked at, so
that guessing in parallel gains nothing.
"""

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from typing import cast

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from redis.asyncio import Redis

from dashboards.access import Person, Role
from dashboards.errors import AccountError, SignInRefusedError, SignInThrottledError

USERS = "vangnet:users"
ATTEMPTS = "vangnet:signin:"
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
"""Characters. The hash's cost grows with the password's length, so there is an end to it."""
ATTEMPTS_PER_NAME = 5
ATTEMPTS_PER_ADDRESS = 50
"""A whole school may share one address, so it is allowed more."""
ATTEMPTS_WINDOW = 900
"""Seconds after the first failed attempt in which the counts hold."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One user as stored."""

    name: str
    role: str
    password: str
    """argon2id hash in its own text form, salt and cost included."""
    generation: str
    """Random; another one ends every session made under this one."""
    created_at: float
    changed_at: float

    @property
    def person(self) -> Person:
        """Who this is to the pages."""
        return Person(self.name, Role(self.role))


def normalize_name(name: str) -> str:
    """Names are compared without capitals and outer spaces, as people type them."""
    return name.strip().casefold()


class Accounts:
    """All users of one installation.

    Args:
        redis: Client that answers in bytes.
        clock: Unix time in seconds.
        hasher: argon2id with the cost of RFC 9106's low-memory profile unless a test asks for less.
    """

    def __init__(
        self, redis: Redis, *, clock: Callable[[], float] = time.time, hasher: PasswordHasher | None = None
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        # One at a time: a hash takes 64 MiB, and the web process must stay small when many people sign in at once.
        self._one_hash = asyncio.Semaphore(1)
        self._nobody: str | None = None

    async def add(self, name: str, role: Role, password: str) -> Account:
        """Make a user.

        Raises:
            AccountError: The name is taken or malformed, or the password too short.
        """
        name = normalize_name(name)
        if not _NAME.fullmatch(name):
            msg = f"{name!r} cannot be a user name: use 1 to 40 letters, digits, dots, hyphens or underscores."
            raise AccountError(msg)
        now = self._clock()
        account = Account(
            name=name,
            role=role.value,
            password=await self._hash(password),
            generation=secrets.token_hex(8),
            created_at=now,
            changed_at=now,
        )
        if not await self._redis.hsetnx(USERS, name, _packed(account)):
            msg = f"User {name} exists already. To give a new password: vangnet users reset {name}"
            raise AccountError(msg)
        return account

    async def get(self, name: str) -> Account | None:
        """The user of this name, or None."""
        stored = await self._redis.hget(USERS, normalize_name(name))
        return None if stored is None else msgspec.json.decode(cast("bytes", stored), type=Account)

    async def list(self) -> list[Account]:
        """All users by name."""
        stored = await self._redis.hvals(USERS)
        return sorted((msgspec.json.decode(value, type=Account) for value in stored), key=lambda user: user.name)

    async def reset(self, name: str, password: str) -> Account:
        """Give a user a new password; all sessions of this user end, and failed attempts are forgotten.

        Raises:
            AccountError: There is no such user, or the password is too short.
        """
        account = await self.get(name)
        if account is None:
            msg = f"There is no user {normalize_name(name)!r}. See: vangnet users list"
            raise AccountError(msg)
        account = msgspec.structs.replace(
            account,
            password=await self._hash(password),
            generation=secrets.token_hex(8),
            changed_at=self._clock(),
        )
        await self._redis.hset(USERS, account.name, _packed(account))
        await self._redis.delete(_attempts_key("name", account.name))
        return account

    async def sign_in(self, name: str, password: str, address: str) -> Account:
        """Check a name and password.

        Args:
            name: As typed.
            password: As typed.
            address: Where the attempt comes from, to slow down guessing.

        Raises:
            SignInThrottledError: Too many failed attempts; the password was not looked at.
            SignInRefusedError: There is no such user, or the password is wrong.
        """
        name = normalize_name(name)
        name_key, address_key = _attempts_key("name", name), _attempts_key("address", address)
        async with self._redis.pipeline(transaction=True) as pipe:
            for key in (name_key, address_key):
                pipe.incr(key)
                pipe.expire(key, ATTEMPTS_WINDOW, nx=True)
            for_name, _, for_address, _ = await pipe.execute()
        if for_name > ATTEMPTS_PER_NAME or for_address > ATTEMPTS_PER_ADDRESS:
            msg = "Too many failed attempts to sign in. Wait a quarter of an hour."
            raise SignInThrottledError(msg)
        account = await self.get(name)
        if not await self._verify(account, password[: LONGEST_PASSWORD + 1]) or account is None:
            msg = "The name or the password is wrong."
            raise SignInRefusedError(msg)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(name_key)
            pipe.decr(address_key)
            await pipe.execute()
        return account

    async def _hash(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            msg = f"The password has {len(password)} characters; use at least {SHORTEST_PASSWORD}."
            raise AccountError(msg)
        async with self._one_hash:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, account: Account | None, password: str) -> bool:
        """Takes as long for a name that does not exist, so that names cannot be found by the clock."""
        if account is None and self._nobody is None:
            self._nobody = await self._hash(secrets.token_urlsafe(16))
        stored = account.password if account is not None else cast("str", self._nobody)
        async with self._one_hash:
            try:
                return await asyncio.to_thread(self._hasher.verify, stored, password)
            except VerificationError:
                return False


def _packed(account: Account) -> bytes:
    return msgspec.json.encode(account)


def _attempts_key(kind: str, value: str) -> str:
    """A hash, so that what was typed as a name (at times a password) is not kept."""
    return f"{ATTEMPTS}{kind}:{hashlib.sha256(value.encode()).hexdigest()[:32]}"
