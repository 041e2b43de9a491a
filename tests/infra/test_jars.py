"""The broker's jars: only those on our list are ever started (DESIGN 6)."""

import hashlib
from pathlib import Path

import pytest

from infra.kafka import jars


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Give a small list of our own in place of the real one, with the contents that it lists."""
    contents = {"kafka-clients-4.3.1.jar": b"clients", "zstd.jar": b"zstd"}
    lines = [f"{hashlib.sha256(raw).hexdigest()}  {name}\n" for name, raw in contents.items()]
    listing = tmp_path / "jars.sha256"
    listing.write_text("".join(lines))
    monkeypatch.setattr(jars, "_LIST", listing)
    monkeypatch.delenv("COBRANZA_KAFKA_JARS", raising=False)
    return contents


def _write(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, raw in contents.items():
        (folder / name).write_bytes(raw)
    return folder


def test_the_real_list_is_one_kafka_of_one_version() -> None:
    """All of Kafka's own jars on our list have the version that we start."""
    sums = jars.expected_sums()
    assert 46 == len(sums)
    assert "kafka_2.13-4.3.1.jar" in sums
    assert {64} == {len(digest) for digest in sums.values()}


def test_jars_as_listed_pass_and_strangers_stay_out(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """The class path holds exactly the listed jars, whatever else lies in the folder."""
    folder = _write(tmp_path / "jars", listed | {"stranger.jar": b"?"})
    assert sorted(listed) == sorted(path.name for path in jars.check_jars(folder))


def test_a_tampered_jar_is_refused(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """One changed byte refuses the start, names the jar and says how to mend it."""
    folder = _write(tmp_path / "jars", listed | {"zstd.jar": b"zstD"})
    with pytest.raises(jars.JarRefusedError) as refused:
        jars.check_jars(folder)
    assert "zstd.jar is not the one expected" in str(refused.value)
    assert f"Remove the folder {folder} and start again" in str(refused.value)


def test_a_missing_jar_is_refused(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """A jar that is gone is named, and nothing is downloaded behind one's back."""
    folder = _write(tmp_path / f"kafka-{jars.KAFKA_VERSION}", listed)
    (folder / "zstd.jar").unlink()
    with pytest.raises(jars.JarRefusedError, match=r"zstd\.jar is missing"):
        jars.provide_jars(cache=tmp_path, download=_unreachable)


def test_the_first_start_downloads_once(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """What was downloaded and checked is kept; the second start asks nobody."""
    first = jars.provide_jars(cache=tmp_path, download=lambda folder: _keep(folder, listed))
    second = jars.provide_jars(cache=tmp_path, download=_unreachable)
    assert first == second


def test_a_wrong_download_leaves_nothing(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """A download that is not as listed is thrown away, so that the next start tries again."""
    wrong = listed | {"zstd.jar": b"half"}
    with pytest.raises(jars.JarRefusedError, match="thrown away"):
        jars.provide_jars(cache=tmp_path, download=lambda folder: _keep(folder, wrong))
    assert ["jars.sha256"] == [path.name for path in tmp_path.iterdir()]
    jars.provide_jars(cache=tmp_path, download=lambda folder: _keep(folder, listed))


def test_a_failed_download_says_the_way_out(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """Without a network the error names what can be done about it."""
    with pytest.raises(jars.JarsUnavailableError) as failed:
        jars.provide_jars(cache=tmp_path, download=_unreachable)
    assert "COBRANZA_KAFKA_JARS" in str(failed.value)
    assert "--bootstrap-servers" in str(failed.value)


def test_an_offline_folder_is_used_and_checked(
    tmp_path: Path, listed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """COBRANZA_KAFKA_JARS replaces the download, not the check."""
    folder = _write(tmp_path / "offline", listed)
    monkeypatch.setenv("COBRANZA_KAFKA_JARS", str(folder))
    assert 2 == len(jars.provide_jars(cache=tmp_path, download=_unreachable))
    (folder / "zstd.jar").write_bytes(b"other")
    with pytest.raises(jars.JarRefusedError, match="unset the variable"):
        jars.provide_jars(cache=tmp_path, download=_unreachable)


def test_several_versions_of_kafka_are_refused(tmp_path: Path, listed: dict[str, bytes]) -> None:
    """A list with Kafka's clients of another version never starts a broker."""
    with (tmp_path / "jars.sha256").open("a") as listing:
        listing.write(f"{'0' * 64}  kafka-server-3.9.1.jar\n")
    with pytest.raises(jars.JarRefusedError, match=r"3\.9\.1"):
        jars.expected_sums()


def _keep(folder: Path, contents: dict[str, bytes]) -> None:
    _write(folder, contents)


def _unreachable(folder: Path) -> None:
    raise ConnectionError("no route to host")
