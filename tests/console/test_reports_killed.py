"""``cobranza reports`` as a process that is killed: a mail that was being handed over is in doubt, all others go once."""

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine

from infra.database.people import PeopleBook, User
from infra.database.report_post import Allowed, Mailing, ReportPost
from tests.infra.database.played import play_into
from tests.notifiers.mail_server import MailServer

pytestmark = pytest.mark.system

_NOW = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
_DEADLINE_S = 80.0
_STORY = """# one who owes
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
"""


class _Deadly(MailServer):
    """Takes a mail and, before it can say so, has the sender killed."""

    victim: "subprocess.Popen[bytes] | None" = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if self.victim is not None and len(self.mails) == 3:
            self.victim.kill()
            self.victim = None
        return answer


def _started(engine: Engine, server: MailServer, *, folder: Path) -> "subprocess.Popen[bytes]":
    variables = {f"COBRANZA_SEND_{name.upper()}": str(value) for name, value in server.settings.items()}
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-m", "console", "--data-dir", str(folder), "reports"],
        env={**os.environ, **variables, "COBRANZA_DATABASE_URL": url},
    )


def _await(said: Callable[[], bool], *, of: str) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while not said():
        assert time.monotonic() < deadline_s, of
        time.sleep(0.1)


def test_a_kill_in_the_middle_of_a_mail_leaves_one_doubt_and_no_second_mail(
    engine: Engine, tmp_path: Path
) -> None:
    """S1-25, kill -9: five mails, the process dies while the third is taken; the next one sends the rest."""
    play_into(engine, _STORY, folder=tmp_path)
    post = ReportPost(engine)
    PeopleBook(engine).put(User(user="ana", role="collector", password_hash="-"), at=_NOW)
    post.allow(Allowed(company="", pattern="@acme.test", allowed_by="root", allowed_at=_NOW))
    post.ask(
        [
            Mailing(
                mailing=f"m{number}", recipient=f"a{number}@acme.test", user="ana", report="aged",
                filters_json="{}", form="csv", asked_at=_NOW, changed_at=_NOW,
                retry_at=_NOW + datetime.timedelta(seconds=number),
            )
            for number in range(5)
        ]
    )  # fmt: skip

    def states() -> list[str]:
        return [each.state for each in sorted(post.mailings(limit=9), key=lambda each: each.mailing)]

    with _Deadly() as server:
        server.victim = victim = _started(engine, server, folder=tmp_path)
        assert -9 == victim.wait(_DEADLINE_S)
        assert ["sent", "sent", "sending", "waiting", "waiting"] == states()
        after = _started(engine, server, folder=tmp_path)
        try:
            _await(lambda: "waiting" not in states() and "sending" not in states(), of=str(states()))
        finally:
            after.terminate()
            assert 0 == after.wait(120)
        assert ["sent", "sent", "unknown", "sent", "sent"] == states()
        recipients = [recipient for (recipient,), _ in server.mails]
        assert [f"a{number}@acme.test" for number in range(5)] == recipients
