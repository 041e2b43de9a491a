"""The jars of the local broker: where they are, whether they are the right ones.

Our own list (``jars.sha256``: SHA-256 and file name) is the authority. Every jar is
checked against it before each start; a missing or different jar is refused, never
replaced silently. Downloads go through jgo (Maven Central) into a folder of their own
that takes its place only when all of it has been checked.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from infra.errors import OperatorError

__all__ = (
    "KAFKA_VERSION",
    "JarRefusedError",
    "JarsUnavailableError",
    "check_jars",
    "default_cache",
    "download_jars",
    "expected_sums",
    "provide_jars",
)

KAFKA_VERSION: Final = "4.3.1"
_KAFKA: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# Resolved apart and without what it depends on: in one resolution the versions that it
# manages pull Kafka's own clients down to 3.9.1, and the broker dies.
_LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3"
_LIST: Final = Path(__file__).with_name("jars.sha256")
_OFFLINE: Final = "COBRANZA_KAFKA_JARS"
_CACHE: Final = "COBRANZA_CACHE"
_DOWNLOAD_TIMEOUT_S: Final = 30
_log = structlog.get_logger(__name__)
_KAFKA_JAR: Final = re.compile(r"kafka[a-z-]*(?:_2\.13)?-(\d[\w.]*)\.jar")


class JarRefusedError(OperatorError):
    """A jar is missing or is not the one on our list: the broker does not start."""


class JarsUnavailableError(OperatorError):
    """The jars could not be downloaded; the text says what to do about it."""


def default_cache() -> Path:
    """Return the cache folder: ``COBRANZA_CACHE``, else ``~/.cache/cobranza``."""
    named = os.environ.get(_CACHE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "cobranza"


def expected_sums() -> dict[str, str]:
    """Return the SHA-256 sum (hex) of every jar of the broker, by file name."""
    lines = _LIST.read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    _assert_one_kafka_version(names=sums)
    return sums


def check_jars(folder: Path, *, way_out: str | None = None) -> tuple[Path, ...]:
    """Return the paths of all jars in `folder`, after checking each against the list.

    Files that are not on the list are not returned, so they never reach the class path.
    Raises `JarRefusedError`, which names the first wrong jar and how to mend it (`way_out`
    replaces the usual advice).
    """
    advice = way_out or f"Remove the folder {folder} and start again: the jars are downloaded anew."
    jars = []
    for name, expected in expected_sums().items():
        jar = folder / name
        if not jar.is_file():
            raise JarRefusedError(f"The jar {name} is missing in {folder}. {advice}")
        if expected != _sha256(jar):
            raise JarRefusedError(
                f"The jar {jar} is not the one expected (SHA-256 differs: it is damaged or was "
                f"tampered with); the broker is not started. {advice}"
            )
        jars.append(jar)
    return tuple(jars)


def provide_jars(
    *, cache: Path | None = None, download: Callable[[Path], None] | None = None
) -> tuple[Path, ...]:
    """Return the checked jars of the broker, downloading them when there are none yet.

    `COBRANZA_KAFKA_JARS`, a folder, takes precedence and is never written to. `download`
    fills a folder with jars (default: `download_jars`). Raises `JarRefusedError` or
    `JarsUnavailableError`.
    """
    offline = os.environ.get(_OFFLINE)
    if offline:
        advice = f"{_OFFLINE} names this folder: put the right jar there, or unset the variable."
        return check_jars(Path(offline).expanduser(), way_out=advice)
    folder = (cache or default_cache()) / f"kafka-{KAFKA_VERSION}"
    if not folder.is_dir():
        _fill(folder, download=download or download_jars)
    return check_jars(folder)


def download_jars(folder: Path) -> None:
    """Resolve and download the broker's jars into `folder` (45 MB, some 15 s)."""
    # Imported here: it takes a third of a second, and is needed once per machine.
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder / "maven", timeout=_DOWNLOAD_TIMEOUT_S)
    chosen, dependencies = context.resolver.resolve([context.create_dependency(_KAFKA)])
    runtime = [one for one in dependencies if one.scope in ("compile", "runtime")]
    logging, _ = context.resolver.resolve([context.create_dependency(_LOGGING)])
    paths = [Path(one.artifact.resolve()) for one in (*chosen, *runtime, *logging)]
    _assert_one_kafka_version(names={path.name: "" for path in paths})
    for path in paths:
        path.replace(folder / path.name)
    shutil.rmtree(folder / "maven")


def _fill(folder: Path, *, download: Callable[[Path], None]) -> None:
    """Download into a neighbour of `folder`, check, then move it into place in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="download-") as scratch:
        fresh = Path(scratch) / folder.name
        fresh.mkdir()
        _log.info("downloading Apache Kafka, once for this machine", version=KAFKA_VERSION, into=str(folder))
        try:
            download(fresh)
        except Exception as error:  # whatever jgo meets: no network, a proxy's page, a full disk
            raise JarsUnavailableError(_no_download(error)) from error
        check_jars(fresh, way_out="The download is damaged and was thrown away: start again.")
        try:
            fresh.rename(folder)
        except OSError:
            # Another process was first. Its folder is checked like any other.
            if not folder.is_dir():
                raise


def _no_download(error: Exception) -> str:
    return (
        f"Apache Kafka {KAFKA_VERSION} could not be downloaded from Maven Central: {error}\n"
        "The way out, one of:\n"
        "  - check the network (HTTPS_PROXY is honoured) and start again;\n"
        f"  - on a machine with network, run any command that starts the broker and copy its folder "
        f"~/.cache/cobranza/kafka-{KAFKA_VERSION} here, then set {_OFFLINE} to that folder;\n"
        "  - use a Kafka that runs elsewhere: --bootstrap-servers HOST:PORT."
    )


def _assert_one_kafka_version(*, names: Mapping[str, str]) -> None:
    """Assert that all jars of Kafka itself have the version that we start."""
    matches = [match for match in map(_KAFKA_JAR.fullmatch, names) if match]
    versions = {match.group(1) for match in matches}
    if versions != {KAFKA_VERSION}:
        raise JarRefusedError(
            f"Expected every kafka* jar to be {KAFKA_VERSION}, found {sorted(versions)}: "
            "a broker made of several versions dies at start."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
