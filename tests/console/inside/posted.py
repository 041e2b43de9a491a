"""What the send ledger has of a story's reminders: each delivery as accepted, its file in the outbox of the desk's folder."""

from infra.database.engine import writing
from infra.database.send_tables import send_jobs
from schemas.codec import encode
from schemas.facts import ReminderDecided
from tests.console.inside.desk import Desk

__all__ = ["keep_jobs"]


def keep_jobs(desk: Desk) -> None:
    """Let the send ledger have what the story decided."""
    with writing(desk.engine) as connection:
        for fact in desk.stage.log:
            if not isinstance(fact, ReminderDecided):
                continue
            for delivery in fact.deliveries:
                connection.execute(
                    send_jobs.insert().values(
                        reminder=fact.id,
                        channel=delivery.channel,
                        account=fact.account,
                        company=fact.company,
                        partition=0,
                        mode=fact.mode,
                        tick=fact.tick,
                        not_before=delivery.not_before,
                        decision_version=fact.decision_version,
                        reminder_json=encode(fact).decode(),
                        state="accepted",
                        recipient=delivery.contact.email,
                        published=True,
                        provider="recorder",
                        endpoint=str(desk.folder / "outbox"),
                        provider_id=f"{fact.id}.eml",
                    )
                )
