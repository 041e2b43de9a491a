"""S2-15: who is in charge of a customer: its master data say so, until a person does."""

from pathlib import Path

from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run


def _told(story: str, *, folder: Path) -> Stage:
    path = folder / "story.txt"
    path.write_text(f"# who is in charge\n{story}", encoding="utf-8")
    stage = Stage(restores=True)
    run(read_script(path), stage=stage)
    return stage


def _responsible(stage: Stage) -> str:
    customer = stage.partition.account("acme:C1").customer
    assert customer is not None
    return customer.responsible()


def test_a_persons_word_stands_over_newer_master_data_until_it_is_cleared(tmp_path: Path) -> None:
    """The billing system's card changes; who was put in charge by hand stays."""
    set_ = 'customer email ana@c1.test responsible billing\n2026-01-02  responsible "desk north"\n'
    renewed = "2026-01-03  customer email ana@c1.test responsible somebody\n"
    assert "desk north" == _responsible(_told(set_, folder=tmp_path))
    assert "desk north" == _responsible(_told(set_ + renewed, folder=tmp_path))
    assert "somebody" == _responsible(_told(f"{set_}{renewed}2026-01-04  responsible -\n", folder=tmp_path))


def test_of_a_customer_without_master_data_it_is_refused_and_said(tmp_path: Path) -> None:
    """Nothing is lost in silence: the request ends as an exception, and nobody is in charge."""
    stage = _told(
        "2026-01-02  invoice INV-1 10.00 due 2026-02-02\n"
        "2026-01-03  responsible ana\n"
        "    expect exception request_refused\n",
        folder=tmp_path,
    )
    assert stage.partition.account("acme:C1").customer is None
