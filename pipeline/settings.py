"""Every setting of Vangnet in one frozen object, read once from the environment (`VANGNET_...`).

Secrets are typed as secrets so that they cannot be printed by accident; unsafe combinations are refused with a
sentence that says what to do.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import SettingsError


class Settings(BaseSettings):
    """What the school can set. Field notes are the documentation; the README lists them."""

    model_config = SettingsConfigDict(env_prefix="VANGNET_", env_ignore_empty=True, frozen=True, extra="ignore")

    data: Path = Path("var")
    """Folder of everything that is stored: the embedded server's files and its socket."""
    keys: Path = Path("keys")
    """Folder of the key files (mode 600, made on first start). Must lie outside `data`: a copy of the data alone
    must be unreadable."""
    redis: SecretStr | None = None
    """`redis://...` of the school's own Redis or Valkey, 7.0 or newer; empty starts the embedded Valkey."""
    broker: SecretStr | None = None
    """`kafka://host:port` to run the stream on Apache Kafka; empty uses the same Redis."""
    partitions: int = Field(4, ge=1, le=256)
    """Partitions of each topic; more allow more workers on Kafka. Fixed once topics exist."""

    web_host: str = "127.0.0.1"
    web_port: int = Field(8080, ge=0, le=65535)
    web_https: bool = False
    """True behind a proxy that speaks https: session cookies are then sent over https only."""
    worker_host: str = "127.0.0.1"
    """Address of the worker's own web server; in a container 0.0.0.0, so that Prometheus can reach it."""
    worker_port: int = Field(6066, ge=0, le=65535)
    """Port of the worker's own web server: `/metrics`."""

    seen_days: int = Field(7, ge=7, le=400)
    """How long a message is recognized when it comes again. Platforms send again for a week at most; a school that
    imports whole chat exports now and then chooses more."""
    context_messages: int = Field(10, ge=0, le=10)
    """How many of a group's last messages are held for judging in conversation."""
    context_seconds: float = Field(3600.0, ge=0, le=3600)
    """How long they are held."""
    batch_size: int = Field(256, ge=1, le=1024)
    """Most messages the scoring step takes at once; it takes what is there, so a quiet stream is not kept waiting."""
    batch_within: float = Field(0.02, gt=0, le=5)
    """Seconds a message may wait for others to share its batch."""

    model: str | None = None
    """Folder or hub id of another classifier; empty uses the shipped one."""
    context_memory: bool = True
    """Earlier messages are remembered as the model read them, and not read again."""
    repeats: bool = True
    """A message without context that was judged before gets the same answer."""
    first_stage: bool = False
    """The n-gram stage clears plainly harmless messages; it saves little beside `context_memory`."""
    operating_point: Literal["rustig", "waakzaam"] = "rustig"
    """`rustig` flags with few false alarms, `waakzaam` misses less."""
    overdue_hours: float = Field(24.0, gt=0)
    """A flag that waits longer counts as overdue."""
    review_days: int = Field(90, ge=1, le=366)
    """How long a judged case is kept; open cases are kept until judged, a year at most."""

    @model_validator(mode="after")
    def _keys_outside_data(self) -> Self:
        data, keys = self.data.resolve(), self.keys.resolve()
        if keys == data or data in keys.parents:
            msg = (
                f"VANGNET_KEYS ({keys}) lies inside VANGNET_DATA ({data}): a copy of the data would hold the keys. "
                "Choose a folder outside it."
            )
            raise ValueError(msg)
        return self


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Args:
        overrides: Values that win over the environment (command-line options, tests).

    Raises:
        SettingsError: A value is missing or refused; the text names the variable and what to do.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks each value itself
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            name = "VANGNET_" + "_".join(str(part) for part in problem["loc"]).upper() if problem["loc"] else ""
            lines.append(f"{name}: {problem['msg']}" if name else problem["msg"].removeprefix("Value error, "))
        raise SettingsError("; ".join(lines)) from None
