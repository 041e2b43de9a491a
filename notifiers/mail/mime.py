"""A message as a mail (RFC 5322): what the recorder writes to a file and SMTP sends is the same.

It refuses addresses that no server could take; it does not ask any server.
"""

import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from email_validator import EmailNotValidError, validate_email

from notifiers.channel import Message, PermanentError

__all__ = ["MAIL_POLICY", "mail_of", "usable_email"]

# Seven bits: no server need know an extension to take it.
MAIL_POLICY: Final = SMTP.clone(max_line_length=200, cte_type="7bit")


def usable_email(message: Message) -> str:
    """Give the address that a message goes to, as it is to be written.

    Raises:
        PermanentError: ``address_missing`` or ``address_refused``.
    """
    email = message.contact.email.strip()
    if not email:
        raise PermanentError(
            error_type="address_missing", detail=f"customer {message.customer} has no mail address"
        )
    try:
        # Whether the domain takes mail is for the server to say; names under .test are for trying things out.
        valid = validate_email(
            email, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise PermanentError(error_type="address_refused", detail=f"{email!r}: {error}") from error
    return valid.ascii_email or valid.normalized


def mail_of(message: Message, *, sender: str, dated: datetime.datetime) -> EmailMessage:
    """Make the mail: text with HTML as the alternative.

    Args:
        message: one for the channel ``email``.
        sender: the address that it comes from.
        dated: its Date header.

    Raises:
        PermanentError: as `usable_email`, or ``content_refused`` where a name or
            address cannot stand in a header.
    """
    recipient = usable_email(message)
    mail = EmailMessage(policy=MAIL_POLICY)
    try:
        mail["From"] = _mailbox(message.sender.name, sender)
        mail["To"] = _mailbox(message.contact.name, recipient)
        mail["Subject"] = message.subject
        mail["Date"] = dated
        # The same each time: a server or a reader that sees it twice can tell.
        mail["Message-ID"] = f"<{message.reminder}.{message.channel}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Cobranza-Reminder"] = message.reminder
    except (ValueError, IndexError) as error:
        raise PermanentError(
            error_type="content_refused", detail=f"a header cannot hold it: {error}"
        ) from error
    mail.set_content(message.text)
    mail["Content-Language"] = message.language
    if message.html:
        mail.add_alternative(message.html, subtype="html")
        # Without this the boundary is random, and the same reminder gives two different files.
        mail.set_boundary(f"=_{message.reminder}")
    return mail


def _mailbox(name: str, email: str) -> Address:
    local, _, domain = email.rpartition("@")
    return Address(display_name=" ".join(name.split()), username=local, domain=domain)
