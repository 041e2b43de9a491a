"""What an installation can set, by ``COBRANZA_*`` variables or on the command line.

It resolves names (topics, groups, the local broker's address) and opens nothing.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.registry import physical_name, topic

__all__ = ["Settings"]


class Settings(BaseSettings):
    """The settings of one installation; frozen, so that they can be shared and compared.

    ``topic_prefix`` stands before every topic, consumer group and transactional id: two
    installations (or tests) share a broker by having different ones.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_", frozen=True, extra="forbid")

    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Path(".cobranza")
    bootstrap_servers: str | None = None
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$")
    database_url: str = ""
    partitions: int = Field(default=4, ge=1, le=256)
    source_partitions: int = Field(default=2, ge=1, le=256)
    replication_factor: int = Field(default=1, ge=1, le=15)

    @property
    def broker_dir(self) -> Path:
        """The folder of the local broker."""
        return self.data_dir / "kafka"

    @property
    def database(self) -> str:
        """The database's URL; an SQLite file in the data folder unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'cobranza.db'}"

    def brokers(self) -> str:
        """Return the address to connect to: as set, else the running local broker's.

        Raises:
            BrokerError: none is set and the local broker does not run.
        """
        if self.bootstrap_servers is not None:
            return self.bootstrap_servers
        from infra.kafka.broker import LocalBroker

        return LocalBroker(self.broker_dir).bootstrap_servers

    def topic(self, name: str) -> str:
        """Return the physical name of a topic of the registry.

        Raises:
            RegistryError: there is no such topic.
        """
        return physical_name(topic(name).name, prefix=self.topic_prefix)

    def group(self, name: str) -> str:
        """Return the consumer group (or transactional id) of this installation for `name`."""
        return f"{self.topic_prefix}cobranza-{name}"
