"""What may be fetched to go along with messages, from where, and how long that is tried."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["DocumentSettings"]


class DocumentSettings(BaseSettings):
    """Set by ``COBRANZA_SEND_DOCUMENTS_*`` variables; with no hosts nothing is fetched, and documents are linked.

    Attributes:
        hosts: where documents may come from, with commas between: ``files.example.com``,
            ``.example.com`` (and all below it), ``files.example.com:8443``. By https only.
        private: addresses of our own network may be asked too (never link-local ones).
        bytes_max: a file is no larger; message_bytes_max: nor are all files of a message.
        files_max: no more files go with one message; the rest is linked.
        timeout_s: a file is there by then; lookup_s: and the address of its host.
        at_once: so many files are fetched at a time, beside the loop; per_host: so many of them from one host.
        tries_max: after so many failures a document is linked instead.
        retry_s: the wait after the first failure; it doubles with each.
        keep_hours: a file that was fetched is good for so long.
        ca_file: certificates to trust instead of the system's; for a network of one's own.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_DOCUMENTS_", frozen=True, extra="forbid")

    hosts: str = ""
    private: bool = False
    bytes_max: int = Field(default=5_000_000, ge=1_000, le=50_000_000)
    message_bytes_max: int = Field(default=15_000_000, ge=1_000, le=100_000_000)
    files_max: int = Field(default=20, ge=1, le=200)
    timeout_s: float = Field(default=10.0, gt=0.0, le=120.0)
    lookup_s: float = Field(default=5.0, gt=0.0, le=60.0)
    at_once: int = Field(default=16, ge=1, le=64)
    per_host: int = Field(default=4, ge=1, le=64)
    tries_max: int = Field(default=3, ge=1, le=20)
    retry_s: float = Field(default=60.0, gt=0.0, le=86_400.0)
    keep_hours: float = Field(default=24.0, ge=0.0, le=8_760.0)
    ca_file: str = ""

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        for host in filter(None, (each.strip() for each in value.split(","))):
            name, _, port = host.partition(":")
            plain = name.replace("-", "").replace(".", "")
            if not (plain.isalnum() and plain.isascii()) or (port and not port.isdecimal()):
                raise ValueError(f"{host!r} is no host such as files.example.com or .example.com")
        return value

    def allowed_hosts(self) -> tuple[str, ...]:
        """Give the hosts in lower case."""
        return tuple(each.strip().lower() for each in self.hosts.split(",") if each.strip())
