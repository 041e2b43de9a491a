"""veraPDF, the validator of PDF/A and PDF/UA: its jar from Maven Central, checked, and run by Java."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from infra.kafka.jars import default_cache
from infra.kafka.java import find_java

__all__ = ["Flavour", "judged"]

Flavour = Literal["2a", "ua1"]
_VERSION: Final = "1.28.2"
_COORDINATES: Final = f"org.verapdf.apps:greenfield-apps:{_VERSION}"
_SHA256: Final = "687d4d8bcfec48c9f7e931cf78ed061f1eeccfba55d4cdc000ba9b4d8aa46ce6"
_TIMEOUT_S: Final = 240


def judged(files: Mapping[str, bytes], *, flavour: Flavour) -> dict[str, str]:
    """Have all files judged by one Java: name -> '' when it conforms, else what the validator says."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / f"{name}.pdf").write_bytes(content)
        paths = {name: str(Path(folder) / f"{name}.pdf") for name in files}
        command = [str(find_java()), "-cp", str(_jar()), "org.verapdf.apps.GreenfieldCliWrapper"]
        done = subprocess.run(
            [*command, "--flavour", flavour, "--format", "text", "-v", *paths.values()],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    said = done.stdout + done.stderr
    return {name: "" if f"PASS {path} {flavour}" in said else said for name, path in paths.items()}


def _jar() -> Path:
    jar = default_cache() / f"verapdf-{_VERSION}" / f"greenfield-apps-{_VERSION}.jar"
    if not jar.is_file():
        _download(jar)
    with jar.open("rb") as file:
        assert _SHA256 == hashlib.file_digest(file, "sha256").hexdigest(), f"remove {jar} and start again"
    return jar


def _download(jar: Path) -> None:
    # Imported here: it takes a third of a second, and is needed once per machine.
    from jgo.maven import MavenContext

    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jar.parent) as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=60)
        # It has all that it needs inside: what its description names besides is for building it.
        found = Path(context.create_dependency(_COORDINATES).artifact.resolve())
        whole = jar.with_suffix(".whole")
        shutil.copy(found, whole)
        whole.replace(jar)
