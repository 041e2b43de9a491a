"""The engine starts only on the libraries that it was written on."""

import pytest

from streams.engine import seam
from streams.engine.faults import SeamChanged


def test_the_installed_libraries_are_the_pinned_ones() -> None:
    """Versions, methods and attributes: nothing differs here."""
    seam.check_seam()


def test_every_difference_is_named() -> None:
    """Another version, a method that is gone, an attribute that is no longer used."""
    fetcher = "aiokafka.consumer.fetcher:Fetcher"
    found = seam.differences(
        versions={"faust-streaming": "0.15.3", "aiokafka": "0.15.0"},
        methods={fetcher: ("seek_to", "seek_elsewhere"), "aiokafka.consumer.fetcher:Gone": ("do",)},
        attributes={f"{fetcher}.__init__": ("_records", "_runs")},
    )
    assert [
        "aiokafka is 0.15.0, the engine needs 0.14.0",
        f"{fetcher}.seek_elsewhere is gone",
        "aiokafka.consumer.fetcher:Gone.do is gone",
        f"{fetcher}.__init__ does not use _runs",
    ] == found


def test_a_worker_on_other_libraries_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has all of it: one look says what to pin, or what to write anew."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9.9")
    with pytest.raises(SeamChanged, match=r"faust-streaming is 9\.9.*\n.*aiokafka is 9\.9"):
        seam.check_seam()
