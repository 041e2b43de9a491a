"""Kafka Streams on this machine: its jars, and our accounting compiled against them.

The jars are Kafka's own (as for the local broker) and the two of ``peers/jars.sha256``,
from Maven Central; each is checked before it is used. ``javac`` comes from a JDK: a
runtime alone has none, and then there is no Java peer.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.kafka.jars import default_cache, provide_jars
from infra.kafka.java import find_java

__all__ = ["JavaMissing", "class_path", "java_command"]

_PEERS = Path(__file__).parent / "peers"
_STREAMS = "org.apache.kafka:kafka-streams:4.3.1"
_DOWNLOAD_TIMEOUT_S = 60


class JavaMissing(Exception):  # noqa: N818 - no error of ours: the machine has no JDK or no network
    """The Java peers cannot run here; the text says what they need."""


def java_command(classes: str, *, heap: str) -> list[str]:
    """Give the command line that runs a class on this class path."""
    return [str(find_java()), f"-Xmx{heap}", "-cp", classes]


def class_path(folder: Path) -> str:
    """Compile the accounting into ``folder``, and give the class path that runs it.

    Raises:
        JavaMissing: there is no ``javac``, no network for the jars, or a jar is not the right one.
    """
    javac = shutil.which("javac")
    if javac is None:
        raise JavaMissing("javac is not there: install a JDK, 17 or newer (Debian: default-jdk-headless)")
    jars = ":".join(map(str, (*provide_jars(), *_streams_jars())))
    command = [javac, "-nowarn", "-cp", jars, "-d", str(folder), str(_PEERS / "Accounting.java")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise JavaMissing(f"javac refuses Accounting.java: {done.stderr}")
    return f"{folder}:{jars}"


def _streams_jars() -> list[Path]:
    lines = (_PEERS / "jars.sha256").read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    folder = default_cache() / "kafka-streams"
    if not all((folder / name).is_file() for name in sums):
        _download(folder, names=set(sums))
    for name, expected in sums.items():
        with (folder / name).open("rb") as jar:
            if expected != hashlib.file_digest(jar, "sha256").hexdigest():
                raise JavaMissing(f"{folder / name} is not the jar expected: remove it and start again")
    return [folder / name for name in sums]


def _download(folder: Path, *, names: set[str]) -> None:
    # Imported here: it takes a third of a second, and is needed once per machine.
    from jgo.maven import MavenContext

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_DOWNLOAD_TIMEOUT_S)
        try:
            chosen, more = context.resolver.resolve([context.create_dependency(_STREAMS)])
            for one in (*chosen, *more):
                path = Path(one.artifact.resolve())
                if path.name in names:
                    path.replace(folder / path.name)
        except Exception as error:  # whatever jgo meets: no network, a proxy's page, a full disk
            raise JavaMissing(f"Kafka Streams' jars could not be downloaded: {error}") from error
