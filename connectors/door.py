"""Opens the pipeline's intake for a connector that runs as a process of its own, and closes it again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from connectors.errors import IntakeAwayError
from pipeline.errors import PublishError
from pipeline.groups import GroupLedger
from pipeline.intake import Intake
from pipeline.privacy import Keyring
from pipeline.publisher import open_publisher
from pipeline.settings import Settings
from pipeline.valkey import connect


@dataclass(frozen=True, slots=True)
class Door:
    """What a connector needs of the pipeline."""

    intake: Intake
    ledger: GroupLedger


@asynccontextmanager
async def open_door(settings: Settings) -> AsyncIterator[Door]:
    """Connect to the store and the broker.

    Args:
        settings: Name both, and the folder of the keys.

    Raises:
        VangnetError: The keys or the store cannot be used; or they went away meanwhile (IntakeAwayError).
    """
    redis = await connect(settings)
    try:
        keyring = Keyring.open(settings.keys)
        async with open_publisher(settings, redis) as publisher:
            ledger = GroupLedger(redis, keyring)
            yield Door(Intake(ledger, publisher, redis, keyring, settings), ledger)
    except (RedisError, PublishError) as error:
        raise IntakeAwayError(
            f"the store or the broker stayed away ({type(error).__name__}); nothing is lost. "
            "Check it with `vangnet doctor` and start again: it goes on where it stopped"
        ) from error
    finally:
        await redis.aclose()
