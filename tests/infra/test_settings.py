"""Settings: resolved once, names carry the installation's prefix."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.kafka.broker import BrokerError
from infra.settings import Settings
from schemas.registry import RegistryError


def test_defaults_need_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing set, everything lives under .cobranza in the current folder."""
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.data_dir == tmp_path / ".cobranza"
    assert settings.database == f"sqlite:///{tmp_path}/.cobranza/cobranza.db"
    assert settings.topic("ledger.journal") == "ledger.journal"
    assert settings.group("intake") == "cobranza-intake"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """COBRANZA_ variables set fields; the prefix stands before topics and groups."""
    monkeypatch.setenv("COBRANZA_TOPIC_PREFIX", "acme.")
    monkeypatch.setenv("COBRANZA_BOOTSTRAP_SERVERS", "k1:9092,k2:9092")
    settings = Settings()
    assert settings.topic("ledger.journal.dlq") == "acme.ledger.journal.dlq"
    assert settings.group("notify-email") == "acme.cobranza-notify-email"
    assert settings.brokers() == "k1:9092,k2:9092"


def test_no_broker_is_said(tmp_path: Path) -> None:
    """Without an address and without a local broker the error names the command."""
    with pytest.raises(BrokerError, match="cobranza kafka start"):
        Settings(data_dir=tmp_path, bootstrap_servers=None).brokers()


def test_wrong_settings_are_refused() -> None:
    """Impossible values do not get as far as a broker; a misspelt topic neither."""
    with pytest.raises(ValidationError):
        Settings(partitions=0)
    with pytest.raises(ValidationError):
        Settings(topic_prefix="no spaces")
    with pytest.raises(RegistryError):
        Settings().topic("ledger.jurnal")
