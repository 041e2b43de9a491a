"""S1-24: statements follow each other without a gap: what one tells begins on the day of the one before."""

import datetime
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from processors.company import Company
from processors.messages import next_statement_on, previous_statement_on
from schemas.commands import ConfigureCompany


@given(
    st.dates(datetime.date(2020, 1, 1), datetime.date(2030, 12, 31)),
    st.sampled_from(["weekly", "monthly"]),
    st.integers(1, 28),
)
def test_a_statement_begins_where_the_last_one_was(
    after: datetime.date, often: Literal["weekly", "monthly"], day: int
) -> None:
    """Weekly or monthly, on whatever day; the scheduled day after the one before is the day itself."""
    company = Company("acme")
    company.apply(
        ConfigureCompany(
            company="acme", occurred_at="2020-01-01", command="p", name="Acme", time_zone="UTC", currency="USD",
            statements=often, statement_day=day if often == "monthly" else 1 + day % 7,
        )
    )  # fmt: skip
    on = next_statement_on(company, after=after)
    before = previous_statement_on(company, before=on)
    assert before < on
    assert on == next_statement_on(company, after=before)
