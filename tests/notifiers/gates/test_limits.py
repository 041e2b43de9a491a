"""Pace and caps at the loop: what waits, until when, and that nothing is lost."""

import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from infra.database.engine import reading
from infra.database.send_doubts import Doubts, Note, Said
from infra.database.send_tables import send_days
from infra.errors import OperatorError
from infra.settings import Settings
from notifiers.channel import Cost, Message, PermanentError, Receipt, TemporaryError, UncertainError
from notifiers.dispatch import Dispatcher, sendings_tally
from notifiers.limits import LimitSettings, open_limits, worded
from schemas.facts import ReminderDecided
from schemas.fields import Channel
from tests.notifiers.sending import (
    RENDERER,
    TICK,
    ScriptedChannel,
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)

PRICES = """
[[price]]
channel = "sms"
currency = "USD"
part = "0.04"
"""
TODAY, TOMORROW = TICK.date(), TICK.date() + datetime.timedelta(days=1)


class House:
    """One channel's loop with the limits that files and settings say."""

    def __init__(self, engine: Engine, *, folder: Path, clock: SettableClock, owner: str = "me") -> None:
        self.engine, self.folder, self.clock, self.owner = engine, folder, clock, owner
        self.channel = ScriptedChannel()
        self.sendings = sendings_tally()
        self.written: list[str] = []

    def loop(self, *, caps: str = "", prices: str = "", limits: LimitSettings | None = None) -> Dispatcher:
        """Open the loop of SMS over a provider."""
        (self.folder / "caps.toml").write_text(caps)
        (self.folder / "prices.toml").write_text(prices)
        settings, chosen = Settings(data_dir=self.folder), limits or LimitSettings()
        gates = open_limits("sms", provider="twilio", settings=settings, limits=chosen, engine=self.engine)
        priced = worded(RENDERER.message, provider="twilio", settings=settings, limits=chosen)

        def render(asked: ReminderDecided, channel: Channel) -> Message:
            self.written.append(asked.id)
            return priced(asked, channel)

        return dispatcher(
            self.engine,
            channel=self.channel,
            name="sms",
            owner=self.owner,
            clock=self.clock,
            gates=gates,
            render=render,
            sendings=self.sendings,
        )


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> House:
    """Give the loop's surroundings, at noon in UTC."""
    return House(engine, folder=tmp_path, clock=SettableClock(TICK))


def _record(loop: Dispatcher, engine: Engine, *, count: int, version: int = 5) -> None:
    know(engine, version=version)
    loop.record([read(reminder(f"r{number}", channels=("sms",))) for number in range(count)])


def _run(loop: Dispatcher) -> None:
    while loop.run(partitions=[0]):
        pass


def test_over_the_cap_goes_on_the_next_company_day(house: House) -> None:
    """Two a day of three: the third waits until midnight in the company's zone, and goes then."""
    loop = house.loop(caps='[[cap]]\nchannel = "sms"\nnumber = 2\n')
    _record(loop, house.engine, count=3)
    with capture_logs() as logs:
        _run(loop)
    assert 2 == len(house.channel.asked)
    waiting = job_row(house.engine, "r2", channel="sms")
    # The sample company is in Santiago, where midnight is at 3 in the morning in UTC.
    midnight = datetime.datetime.combine(TOMORROW, datetime.time(3), tzinfo=datetime.UTC)
    assert ("scheduled", 0, midnight) == (waiting["state"], waiting["attempts"], waiting["not_before"])
    assert "the daily cap of acme for sms by number is reached" in str(waiting["detail"])
    assert 1 == house.sendings.count("sms", "capped")
    assert [("acme", "number")] == [
        (each["company"], each["by"]) for each in logs if each["event"] == "send_cap_reached"
    ]
    know(house.engine, clock=midnight)
    _run(loop)
    assert ["r0", "r1", "r2"] == house.channel.asked
    assert {"accepted"} == set(states(house.engine).values())


def test_a_cap_of_cost_counts_segments(house: House) -> None:
    """The sample is one segment of 4 cents: 10 cents are two a day; what each cost stands on its row."""
    caps = '[[cap]]\nchannel = "sms"\ncost = "0.10"\ncurrency = "USD"\n'
    loop = house.loop(caps=caps, prices=PRICES)
    _record(loop, house.engine, count=3)
    _run(loop)
    row = job_row(house.engine, "r0", channel="sms")
    parts = row["cost_parts"]
    assert isinstance(parts, int)
    assert ("USD", 40_000 * parts) == (row["cost_currency"], row["cost_micros"])
    assert 10 // (4 * parts) == len(house.channel.asked)


def test_what_the_provider_charges_is_what_it_cost(house: House) -> None:
    """Its own word goes before our price."""
    loop = house.loop(prices=PRICES)
    charged = Cost(currency="EUR", micros=1_500_000, parts=2)
    house.channel.send = lambda message: Receipt(provider_id=message.reminder, cost=charged)  # type: ignore[method-assign]
    _record(loop, house.engine, count=1)
    _run(loop)
    row = job_row(house.engine, "r0", channel="sms")
    assert ("EUR", 1_500_000, 2) == (row["cost_currency"], row["cost_micros"], row["cost_parts"])


def test_companies_have_caps_of_their_own(house: House) -> None:
    """A company's own cap stands for the one of everybody."""
    caps = '[[cap]]\nchannel = "sms"\nnumber = 1\n[[cap]]\ncompany = "acme"\nchannel = "sms"\nnumber = 3\n'
    loop = house.loop(caps=caps)
    _record(loop, house.engine, count=3)
    _run(loop)
    assert 3 == len(house.channel.asked)


def test_what_was_paid_meanwhile_ends_and_does_not_wait(house: House) -> None:
    """R32 before the cap: a capped day does not keep a superseded reminder open."""
    loop = house.loop(caps='[[cap]]\nchannel = "sms"\nnumber = 1\n')
    _record(loop, house.engine, count=3)
    know(house.engine, version=6)
    _run(loop)
    assert {"superseded"} == set(states(house.engine).values())


def _counted(engine: Engine) -> tuple[int, int]:
    with reading(engine) as connection:
        row = connection.execute(select(send_days.c.number, send_days.c.micros)).one()
        return row.number, row.micros


def test_a_refused_delivery_gives_its_place_to_who_waits_for_one(house: House) -> None:
    """Two a day: the first number is refused, so that the one that waited for tomorrow goes today after all."""
    loop = house.loop(caps='[[cap]]\nchannel = "sms"\nnumber = 2\n', prices=PRICES)
    house.channel.answers = [PermanentError(error_type="address_refused", detail="no such number")]
    _record(loop, house.engine, count=4)
    _run(loop)
    assert ["r0", "r1", "r2"] == house.channel.asked
    ends = {"r0/sms": "failed", "r1/sms": "accepted", "r2/sms": "accepted", "r3/sms": "scheduled"}
    assert ends == states(house.engine)
    number, micros = _counted(house.engine)
    cost = job_row(house.engine, "r1", channel="sms")["cost_micros"]
    assert isinstance(cost, int)
    assert (2, 2 * cost) == (number, micros)


def test_a_superseded_delivery_gives_its_place_back(house: House) -> None:
    """Paid between its place and its sending (R32): it counts no more, and another may go."""
    loop = house.loop(caps='[[cap]]\nchannel = "sms"\nnumber = 1\n')
    know(house.engine, account="acme:C2")
    _record(loop, house.engine, count=1)
    house.channel.answers = [TemporaryError("busy", provider_down=False)]
    _run(loop)
    assert (1, {"r0/sms": "scheduled"}) == (_counted(house.engine)[0], states(house.engine))
    loop.record([read(reminder("r9", account="acme:C2", channels=("sms",)))])
    _run(loop)
    assert "scheduled" == states(house.engine)["r9/sms"]
    know(house.engine, version=6)
    house.clock.pass_s(60)
    _run(loop)
    assert {"r0/sms": "superseded", "r9/sms": "accepted"} == states(house.engine)
    assert 1 == _counted(house.engine)[0]


@pytest.mark.parametrize(("said", "counted"), [("failed", 0), ("accepted", 1), ("resend", 1)])
def test_a_doubt_keeps_its_place_until_it_is_known_not_to_have_gone(
    house: House, said: Said, counted: int
) -> None:
    """Unknown counts, since it may have gone; a person's word that it has not gives the place back."""
    loop = house.loop(caps='[[cap]]\nchannel = "sms"\nnumber = 1\n')
    house.channel.answers = [UncertainError("no answer")]
    _record(loop, house.engine, count=1)
    _run(loop)
    assert (1, {"r0/sms": "unknown"}) == (_counted(house.engine)[0], states(house.engine))
    word = Note(at=TICK, author="the desk", what="said", detail="they say so")
    Doubts(house.engine, channel="sms").resolve("r0", said=said, occurred_at="t", note=word)
    assert counted == _counted(house.engine)[0]


def test_the_pace_is_kept_and_nothing_is_put_off(house: House) -> None:
    """Two a second: two go at once, the others as time passes; no row is written for waiting."""
    loop = house.loop(limits=LimitSettings(rate_sms=2.0))
    _record(loop, house.engine, count=5)
    _run(loop)
    assert 2 == len(house.channel.asked)
    assert "" == job_row(house.engine, "r4", channel="sms")["detail"]
    house.clock.pass_s(0.5)
    _run(loop)
    assert 3 == len(house.channel.asked)
    house.clock.pass_s(10)
    _run(loop)
    assert ["r0", "r1", "r2", "r3", "r4"] == house.channel.asked
    assert 0 == house.sendings.count("sms", "put_back")


def test_what_waits_for_its_turn_is_not_written_again_and_again(house: House) -> None:
    """One a second of thirty: the loop writes about as many messages as it sends."""
    loop = house.loop(limits=LimitSettings(rate_sms=1.0))
    _record(loop, house.engine, count=30)
    _run(loop)
    house.written.clear()
    for _ in range(20):
        house.clock.pass_s(1.0)
        _run(loop)
    assert 21 == len(house.channel.asked)
    assert len(house.written) <= 2 * 20
    house.clock.pass_s(60.0)
    for _ in range(12):
        _run(loop)
        house.clock.pass_s(1.0)
    assert 30 == len(house.channel.asked)


def test_two_loops_share_the_pace(house: House, tmp_path: Path) -> None:
    """What one has taken the other has not."""
    other = House(house.engine, folder=tmp_path, clock=house.clock, owner="other")
    limits = LimitSettings(rate_sms=3.0)
    first, second = house.loop(limits=limits), other.loop(limits=limits)
    _record(first, house.engine, count=5)
    _run(first)
    _run(second)
    assert (3, 0) == (len(house.channel.asked), len(other.channel.asked))


@pytest.mark.parametrize(
    ("caps", "prices", "said"),
    [
        ('[[cap]]\nchannel = "sms"\nnumber = 0\n', "", "number"),
        ('[[cap]]\nchannel = "fax"\n', "", "fax"),
        ('[[cap]]\nchannel = "sms"\ncost = "1"\n', "", "cost and currency go together"),
        ('[[cap]]\nchannel = "sms"\ncost = "x"\ncurrency = "USD"\n', PRICES, "no amount"),
        ('[[cap]]\nchannel = "sms"\ncost = "1"\ncurrency = "EUR"\n', PRICES, "costs USD"),
        ('[[cap]]\nchannel = "sms"\ncost = "1"\ncurrency = "USD"\n', "", "needs a price"),
        ('[[cap]]\nchannel = "sms"\n[[cap]]\nchannel = "sms"\n', "", "two caps"),
    ],
)
def test_limits_that_cannot_be_are_refused(house: House, caps: str, prices: str, said: str) -> None:
    """At the start, with what is wrong; a cap that would be passed unseen is none."""
    with pytest.raises(OperatorError, match=said):
        house.loop(caps=caps, prices=prices)


@pytest.mark.parametrize("name", ["prices", "caps"])
def test_a_file_that_is_named_must_be_there(house: House, tmp_path: Path, name: str) -> None:
    """A slip in a path would send without a cap, or count without a price."""
    with pytest.raises(OperatorError, match=f"COBRANZA_SEND_{name.upper()}: there is no file"):
        house.loop(limits=LimitSettings.model_validate({name: tmp_path / "nowhere.toml"}))
