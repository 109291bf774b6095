"""The users of the pages."""

import asyncio

import pytest
import time_machine
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from redis.asyncio import Redis

from dashboards.access import Role
from dashboards.accounts import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NAME, ATTEMPTS_WINDOW, USERS, Accounts
from dashboards.errors import AccountError, SignInRefusedError, SignInThrottledError
from tests.dashboards.conftest import PASSWORD, QUICK_HASHER


@pytest.fixture
def accounts(redis: Redis) -> Accounts:
    return Accounts(redis, hasher=QUICK_HASHER)


async def test_a_password_is_stored_as_argon2id_at_the_recommended_cost(redis: Redis) -> None:
    """What is stored is a salted argon2id hash; the password is nowhere in the store."""
    await Accounts(redis).add("anna", Role.MENTOR, PASSWORD)
    stored = await redis.hget(USERS, "anna")
    assert stored is not None
    assert PASSWORD.encode() not in stored
    assert b"$argon2id$" in stored
    assert PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).time_cost == PasswordHasher().time_cost


async def test_names_are_typed_with_any_capitals(accounts: Accounts) -> None:
    """`Anna ` and `anna` are the same user."""
    await accounts.add(" Anna", Role.MENTOR, PASSWORD)
    assert (await accounts.sign_in("ANNA ", PASSWORD, "10.0.0.1")).name == "anna"
    with pytest.raises(AccountError, match="exists already"):
        await accounts.add("anna", Role.TEACHER, PASSWORD)
    assert [account.role for account in await accounts.list()] == ["mentor"]


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "a" * 41, "é", ".a", "a\n"])
async def test_a_name_that_cannot_be_a_user_is_refused(accounts: Accounts, name: str) -> None:
    """The refusal says what a name looks like."""
    if name == "a\n":
        assert (await accounts.add(name, Role.MENTOR, PASSWORD)).name == "a"
        return
    with pytest.raises(AccountError, match="letters, digits"):
        await accounts.add(name, Role.MENTOR, PASSWORD)


@pytest.mark.parametrize("password", ["", "kort", "123456789", "x" * 1025])
async def test_a_password_of_the_wrong_length_is_refused(accounts: Accounts, password: str) -> None:
    """Too short is unsafe, far too long would be a burden."""
    with pytest.raises(AccountError, match="characters"):
        await accounts.add("anna", Role.MENTOR, password)


async def test_guessing_at_the_same_moment_gains_nothing(accounts: Accounts) -> None:
    """Of many parallel attempts only as many as allowed look at the password."""
    await accounts.add("anna", Role.MENTOR, PASSWORD)
    tries = [accounts.sign_in("anna", f"verkeerd-{number}", "10.0.0.1") for number in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    looked = [result for result in results if type(result) is SignInRefusedError]
    assert len(looked) == ATTEMPTS_PER_NAME
    assert all(isinstance(result, SignInRefusedError) for result in results)


async def test_one_address_cannot_try_name_after_name(accounts: Accounts) -> None:
    """Attempts at many names from one place end as well, while another place still signs in."""
    await accounts.add("anna", Role.MENTOR, PASSWORD)
    for number in range(ATTEMPTS_PER_ADDRESS):
        with pytest.raises(SignInRefusedError):
            await accounts.sign_in(f"iemand{number}", "verkeerd-wachtwoord", "10.0.0.1")
    with pytest.raises(SignInThrottledError):
        await accounts.sign_in("anna", PASSWORD, "10.0.0.1")
    assert (await accounts.sign_in("anna", PASSWORD, "10.0.0.2")).name == "anna"


async def test_signing_in_forgives_the_failures_before_it(accounts: Accounts) -> None:
    """A mistyped password now and then closes nothing."""
    await accounts.add("anna", Role.MENTOR, PASSWORD)
    for _ in range(3):
        for _ in range(ATTEMPTS_PER_NAME - 1):
            with pytest.raises(SignInRefusedError):
                await accounts.sign_in("anna", "verkeerd-wachtwoord", "10.0.0.1")
        await accounts.sign_in("anna", PASSWORD, "10.0.0.1")


async def test_failures_are_forgotten_after_a_quarter_of_an_hour(accounts: Accounts, redis: Redis) -> None:
    """What is counted expires by itself and does not hold what was typed as a name."""
    with pytest.raises(SignInRefusedError):
        await accounts.sign_in("mijn-wachtwoord-getypt", "x", "10.0.0.1")
    keys = [key async for key in redis.scan_iter(match="vangnet:signin:*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.ttl(key) <= ATTEMPTS_WINDOW
        assert b"mijn-wachtwoord" not in key


async def test_a_reset_gives_a_new_password_and_another_generation(accounts: Accounts) -> None:
    """The old password is out, and so is every session of the old generation."""
    with time_machine.travel(1_790_000_000, tick=False):
        before = await accounts.add("anna", Role.MENTOR, PASSWORD)
    after = await accounts.reset("Anna", "een-ander-wachtwoord")
    assert after.generation != before.generation
    assert after.created_at == before.created_at < after.changed_at
    with pytest.raises(SignInRefusedError):
        await accounts.sign_in("anna", PASSWORD, "10.0.0.1")
    assert await accounts.sign_in("anna", "een-ander-wachtwoord", "10.0.0.1")
    with pytest.raises(AccountError, match="no user 'bram'"):
        await accounts.reset("bram", PASSWORD)
