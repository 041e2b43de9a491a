"""What readers have answered, as the ledger took it down: newest last."""

import datetime

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import decisions
from schemas.answers import AnswerGiven

__all__ = ["AnswerLine", "answer_lines"]

_decoder = json.Decoder(AnswerGiven)


class AnswerLine(Struct, frozen=True, kw_only=True):
    """One answer; ``files`` are name and hash of each."""

    account: str
    kind: str
    documents: str
    amount: str
    on: datetime.date | None
    text: str
    by: str
    reach: str
    placed: str
    files: str
    reference: str
    reminder: str
    channel: str
    task: str


def answer_lines(connection: Connection, *, account: str, lines_max: int) -> list[AnswerLine]:
    """List the last answers of an account (COMPANY:CUSTOMER)."""
    query = select(decisions.c["detail_json"]).where(
        decisions.c["account"] == account, decisions.c["kind"] == "answer_given"
    )
    found = [_decoder.decode(text) for text in connection.execute(query).scalars()]
    found.sort(key=lambda each: int(each.id.rpartition("/")[2]))
    return [_line(each) for each in found[-lines_max:]]


def _line(given: AnswerGiven) -> AnswerLine:
    said = given.said
    return AnswerLine(
        account=given.account,
        kind=said.kind,
        documents=", ".join(said.documents),
        amount="" if said.amount is None else f"{said.amount} {said.currency}",
        on=said.on,
        text=" – ".join(part for part in (said.reason, said.text) if part),
        by=said.by,
        reach=said.reach,
        placed=", ".join(given.placed),
        files=", ".join(f"{each.name} {each.sha256}" for each in said.files),
        reference=said.reference,
        reminder=given.reminder,
        channel=given.channel,
        task=given.task,
    )
