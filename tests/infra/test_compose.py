"""docker-compose.yml against what it starts: our commands and settings, the broker's, addresses, volumes; no Docker."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from kafka.admin import ConfigResource, ConfigResourceType
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from sqlalchemy import make_url

from console.cli.main import main
from console.web.inside.settings import ConsoleSettings
from console.web.settings import WebSettings
from infra.kafka.consumers import admin
from infra.metrics.pulse import Pulses
from infra.metrics.server import MetricsServer
from infra.metrics.settings import MetricsSettings
from infra.settings import Settings
from notifiers.links import LinkSettings
from notifiers.mail.settings import SmtpSettings
from notifiers.settings import SendSettings
from streams.settings import StreamSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if one.get("image") == "cobranza:local")
DOCKERFILE = (ROOT / "infra" / "deploy" / "Dockerfile").read_text()
SETTINGS: tuple[type[BaseSettings], ...] = (
    Settings,
    SendSettings,
    SmtpSettings,
    StreamSettings,
    MetricsSettings,
    LinkSettings,
    WebSettings,
    ConsoleSettings,
)


def _commands(name: str) -> list[list[str]]:
    """Give what a service of ours runs, without the program's name."""
    service = SERVICES[name]
    if "entrypoint" not in service:
        return [service["command"]]
    shell, _, script = service["entrypoint"]
    assert "sh" == shell
    parts = [part.split() for part in script.split(" && ")]
    assert {"cobranza"} == {part[0] for part in parts}
    return [part[1:] for part in parts]


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_that_there_is(name: str) -> None:
    """With options that it takes: --help comes after them, and they are read first."""
    for command in _commands(name):
        told = CliRunner().invoke(main, [*command, "--help"])
        assert (0, "") == (told.exit_code, told.stderr), command


def test_the_image_starts_the_program_that_is_installed() -> None:
    """The entry point is a script of the package, and every folder of the wheel is in the image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert 'ENTRYPOINT ["cobranza"]' in DOCKERFILE
    assert "cobranza" in project["project"]["scripts"]
    copied = re.findall(r"^COPY (\w+) (\w+)$", DOCKERFILE, flags=re.MULTILINE)
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [(each, each) for each in packages] == copied
    [files] = re.findall(r"^COPY (.*) \./$", DOCKERFILE, flags=re.MULTILINE)
    assert [] == [each for each in files.split() if not (ROOT / each).is_file()]
    [python] = re.findall(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, flags=re.MULTILINE)
    assert project["project"]["requires-python"] == f">={python}"


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting_that_takes_its_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no setting has would be left aside without a word."""
    variables: dict[str, str] = SERVICES[name]["environment"]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    taken = {
        f"{kind.model_config['env_prefix']}{field}".upper(): _told(kind(), field=field, value=value)
        for kind in SETTINGS
        for field, value in kind().model_dump(mode="json", exclude_unset=True).items()
    }
    assert variables == {variable: str(value) for variable, value in taken.items()}


def _told(settings: BaseSettings, *, field: str, value: object) -> object:
    """Give a value as it was set: a secret is written as stars."""
    own = getattr(settings, field)
    return own.get_secret_value() if isinstance(own, SecretStr) else value


def test_the_brokers_variables_are_settings_of_kafka(broker: str) -> None:
    """The image makes ``a.b`` of ``KAFKA_A_B``; what Kafka does not know it would only warn of."""
    variables = SERVICES["kafka"]["environment"]
    named = {variable.removeprefix("KAFKA_").lower().replace("_", ".") for variable in variables}
    with admin(bootstrap_servers=broker) as client:
        node = ConfigResource(ConfigResourceType.BROKER, "1")
        known = client.describe_configs([node], config_filter="all")["broker"]["1"]
    assert set() == named - known.keys()


def test_addresses_agree() -> None:
    """Who is named somewhere is a service, at a port where it listens."""
    kafka, ours = SERVICES["kafka"]["environment"], SERVICES[OURS[0]]["environment"]
    listeners = dict(re.findall(r"(\w+)://\w*:(\d+)", kafka["KAFKA_LISTENERS"]))
    assert f"PLAINTEXT://kafka:{listeners['PLAINTEXT']}" == kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert f"kafka:{listeners['PLAINTEXT']}" == ours["COBRANZA_BOOTSTRAP_SERVERS"]
    assert (
        f"{kafka['KAFKA_NODE_ID']}@kafka:{listeners[kafka['KAFKA_CONTROLLER_LISTENER_NAMES']]}"
        == kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    )
    assert ours["COBRANZA_BOOTSTRAP_SERVERS"] in SERVICES["kafka"]["healthcheck"]["test"][1]
    url, postgres = make_url(ours["COBRANZA_DATABASE_URL"]), SERVICES["postgres"]["environment"]
    assert ("postgres", 5432) == (url.host, url.port)
    assert {
        "POSTGRES_USER": url.username,
        "POSTGRES_PASSWORD": url.password,
        "POSTGRES_DB": url.database,
    } == postgres
    assert ours["COBRANZA_SEND_SMTP_HOST"] in SERVICES
    sources = yaml.safe_load(
        (ROOT / "infra/deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    assert ["http://prometheus:9090"] == [each["url"] for each in sources["datasources"]]


def test_only_this_machine_is_let_in() -> None:
    """Published ports are bound to 127.0.0.1, each once."""
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]
    assert ["127.0.0.1"] * len(published) == [port.split(":")[0] for port in published]
    assert len(published) == len({port.split(":")[1] for port in published})


def test_what_must_last_is_on_a_volume() -> None:
    """Each volume is declared and used; Kafka's logs, PostgreSQL's data and ours are inside of one."""
    mounts = {
        name: dict(reversed(volume.split(":")[:2]) for volume in one.get("volumes", ()))
        for name, one in SERVICES.items()
    }
    used = {source for each in mounts.values() for source in each.values() if not source.startswith("./")}
    assert used == COMPOSE["volumes"].keys()
    assert {SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]: "kafka"} == mounts["kafka"]
    assert {"/var/lib/postgresql": "postgres"} == mounts["postgres"]  # since 18; before it was .../data
    for name in OURS:
        assert [SERVICES[name]["environment"]["COBRANZA_DATA_DIR"]] == list(mounts[name])
    assert "mkdir /data && chown cobranza /data" in DOCKERFILE
    assert "VOLUME /data" in DOCKERFILE


def test_who_is_waited_for_can_say_that_it_is_well() -> None:
    """A healthy one has a check, a completed one is not started again."""
    awaited = [
        (name, how["condition"])
        for one in SERVICES.values()
        for name, how in (one["depends_on"].items() if isinstance(one.get("depends_on"), dict) else ())
    ]
    assert {"service_healthy", "service_completed_successfully"} == {how for _, how in awaited}
    for name, how in awaited:
        if how == "service_healthy":
            assert "test" in SERVICES[name]["healthcheck"]
        else:
            assert ("no", {"disable": True}) == (SERVICES[name]["restart"], SERVICES[name]["healthcheck"])


def test_the_dashboard_that_is_opened_first_is_mounted() -> None:
    """Also where the provider looks for dashboards."""
    grafana = SERVICES["grafana"]
    mounts = dict(reversed(volume.split(":")[:2]) for volume in grafana["volumes"])
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / mounts[str(home.parent)] / home.name).is_file()
    provisioning = ROOT / mounts["/etc/grafana/provisioning"]
    [provider] = yaml.safe_load((provisioning / "dashboards" / "cobranza.yml").read_text())["providers"]
    assert str(home.parent) == provider["options"]["path"]


def test_the_health_check_says_what_the_process_says() -> None:
    """Run as it stands, but for the port: 0 while there is progress, else not."""
    kind, program, *arguments = SERVICES["ledger"]["healthcheck"]["test"]
    assert ("CMD", "python") == (kind, program)
    for stalled, expected in ((60.0, 0), (1e-9, 1)):
        pulses = Pulses(["fold"], stalled_s=stalled)
        with MetricsServer(MetricsSettings(port=0), probe=pulses) as server:
            here = [each.replace(":9640/", f":{server.port}/") for each in arguments]
            assert here != arguments
            done = subprocess.run([sys.executable, *here], capture_output=True, check=False, timeout=60)
        assert expected == done.returncode
