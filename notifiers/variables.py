"""All variables that sending knows, over all its settings: a name that none of them has is refused.

A setting that is misspelt would be left aside without a word; of a sandbox's recipient, that would be
mails to customers from a rehearsal.
"""

import difflib
from collections.abc import Iterable
from typing import Final

from pydantic_settings import BaseSettings

from notifiers.enclosing.settings import DocumentSettings
from notifiers.limits import LimitSettings
from notifiers.mail.settings import DkimSettings, SesSettings, SmtpSettings
from notifiers.paper.settings import PostSettings, PrintRunSettings
from notifiers.settings import SendSettings, SettingsError
from notifiers.sms.settings import TwilioSettings

__all__ = ["KINDS", "PREFIX", "require_known"]

PREFIX: Final = "COBRANZA_SEND_"
KINDS: Final[tuple[type[BaseSettings], ...]] = (
    SendSettings,
    LimitSettings,
    DocumentSettings,
    SmtpSettings,
    DkimSettings,
    SesSettings,
    TwilioSettings,
    PrintRunSettings,
    PostSettings,
)


def require_known(variables: Iterable[str]) -> None:
    """Check the names of an environment's variables.

    Raises:
        SettingsError: there are names of ours that no setting has; with the nearest one that there is.
    """
    known = {
        f"{kind.model_config.get('env_prefix', '')}{field}".upper()
        for kind in KINDS
        for field in kind.model_fields
    }
    unknown = sorted(
        name for name in variables if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if unknown:
        raise SettingsError("\n".join(_said(name, known) for name in unknown))


def _said(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1)
    return f"{name} is no setting" + (f": is {near[0]} meant?" if near else "")
