"""A real Apache Kafka of the tests' own: one node without ZooKeeper, its jars fetched from Maven Central once."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

VERSION: Final = "4.3.1"
_DEPENDENCIES: Final = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.slf4j", "slf4j-simple", "1.7.36"),
)
_READY_SECONDS: Final = 90.0


def missing_programs() -> list[str]:
    """What must be installed before there can be a Kafka."""
    return [program for program in ("java", "mvn") if shutil.which(program) is None]


def fetched_jars() -> Path:
    """Give the folder of Kafka's jars in the user's cache; the first call of a user fetches them (54 MB)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vangnet-tests"
    jars = cache / f"kafka-{VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        draft = Path(folder) / "jars"
        (Path(folder) / "pom.xml").write_text(_pom(), "utf-8")
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
        command.append("-DincludeScope=runtime")
        done = subprocess.run(  # noqa: S603  # our own command line
            command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise RuntimeError(f"Maven could not fetch Kafka {VERSION}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        with contextlib.suppress(OSError):  # another run was first; its jars are the same
            draft.rename(jars)
    return jars


def _pom() -> str:
    wanted = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in _DEPENDENCIES
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>vangnet</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{wanted}</dependencies></project>"
    )


async def answers_at(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@dataclass
class KafkaServer:
    """One broker that is its own controller, on two free ports of loopback."""

    folder: Path
    port: int
    controller_port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """For `VANGNET_BROKER`."""
        return f"kafka://{self.address}"

    def start(self, given: Mapping[str, str] | None = None, *, standalone: bool = True) -> None:
        """Format its folder, start it and wait until it answers.

        Args:
            given: Other settings than `settings()`.
            standalone: False where they name the controllers by `controller.quorum.voters`.
        """
        jars = fetched_jars()
        settings = self.folder / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in (given or self.settings()).items()), "utf-8")
        java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
        storage = [*java, "kafka.tools.StorageTool"]
        run = partial(subprocess.run, check=True, capture_output=True, text=True)
        cluster = run([*storage, "random-uuid"]).stdout.strip()
        run([*storage, "format", "-t", cluster, "-c", str(settings), *(["--standalone"] if standalone else [])])
        command = [*java, "kafka.Kafka", str(settings)]
        with (self.folder / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # our own command line
        asyncio.run(self._wait_until_ready())

    def stop(self) -> None:
        """Kill it; its folder is thrown away anyway."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        # The client logs each refused connection as an error; so knock first.
        while not await answers_at(self.port) and self.process is not None and self.process.poll() is None:
            assert time.monotonic() < deadline, "Kafka opens no port"
            await asyncio.sleep(0.2)
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            try:
                await admin.start()
                await admin.list_topics()
            except (KafkaError, OSError) as error:
                if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                    tail = (self.folder / "kafka.log").read_text("utf-8", "replace")[-3000:]
                    raise RuntimeError(f"Kafka does not answer:\n{tail}") from error
                await asyncio.sleep(0.2)
            else:
                return
            finally:
                await admin.close()

    def settings(self) -> dict[str, str]:
        """Those of one node on loopback."""
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "log.dirs": str(self.folder / "data"),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "group.initial.rebalance.delay.ms": "0",
            "num.partitions": "4",
            # On a busy machine a late heartbeat would fence the only broker there is.
            "broker.session.timeout.ms": "60000",
            "auto.create.topics.enable": "false",
        }
