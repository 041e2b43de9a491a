"""Why a carrier of messages cannot be opened, in the user's language: the settings of sending say it in English, line by line.

A line names its variable and what is wrong with it. What has no word is told with a sentence of ours before it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["CARRIER_FAULTS", "carrier_fault_text"]

_HEAD: Final = "Settings of sending are wrong:"
_VARIABLE: Final = re.compile(r"^(?P<name>COBRANZA_[A-Z0-9_.]+\*?): (?P<said>.+)$", re.DOTALL)
# From what settings and carriers say to the word of [carrier_faults] that says it to people; what it names is filled in.
CARRIER_FAULTS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in (
        ("needed", r"^(?P<name>COBRANZA_\w+) is needed when "),
        ("unset", r"^messages have no links: (?P<name>.+) not set$"),
        ("nobody_carries", r"^nobody carries \w+ by (?P<name>.+)$"),
        ("together", r"^(?P<name>user and password|domain, selector and key_file|cost and currency) go together$"),
        ("ascii_only", r"^user and password must be of ASCII"),
        ("unprotected", r"^a password is not sent over an unprotected connection"),
        ("no_sender", r"^sender_always needs a sender$"),
        ("ses_signs", r"^SES signs mails itself"),
        ("twilio_account", r"^account_sid and auth_token are needed"),
        ("twilio_sender", r"^one of messaging_service_sid and sender is needed$"),
        ("dkim_key", r"the DKIM key is no (?:private key in PEM|RSA key)"),
        ("dkim_bits", r"the DKIM key has (?P<bits>\d+) bits: (?P<least>\d+) are needed$"),
        ("dkim_name", r"^no DNS holds (?P<name>.+)$"),
        ("unreadable", r"^the DKIM key (?P<name>.+) cannot be read: "),
        ("time_zone", r"^there is no time zone (?P<name>.+)$"),
        ("cut_off", r"^cut_off is a time of day in time_zone"),
        ("no_mail", r"^(?P<name>.+) is no mail address: "),
        ("no_phone", r"is no phone number as in E\.164"),
        ("sandbox_open", r"^a sandbox is set, but (?P<name>\w+) would reach customers"),
        ("sandbox_address", r"^sandbox_address needs (?P<least>\d+) to (?P<most>\d+) lines"),
        ("https_only", r"must be reached by https, not (?P<name>.+)$"),
        ("no_file", r"^there is no file (?P<name>.+)$"),
        ("no_price", r"(?P<name>'[^']*') is no amount "),
        ("two_caps", r"^(?P<name>.+): a company has two caps for one channel$"),
        ("missing", r"^Field required$"),
        ("no_number", r"^Input should be a valid (?:integer|number)|^Input should be (?:greater|less) than"),
        ("no_choice", r"^Input should be (?P<name>'.+)$"),
    )
}  # fmt: skip


def carrier_fault_text(said: str, *, words: Mapping[str, Any]) -> str:
    """Say it in the user's words, each variable by its name."""
    told = words["carrier_faults"]
    lines = [each for each in said.splitlines() if each.strip() and each != _HEAD]
    return " ".join(_line_text(each, told=told) for each in lines)


def _line_text(line: str, *, told: Mapping[str, str]) -> str:
    variable = _VARIABLE.match(line)
    bare = line if variable is None else variable["said"]
    before = "" if variable is None else f"{variable['name']}: "
    for name, pattern in CARRIER_FAULTS.items():
        if found := pattern.search(bare):
            named = {key: value.replace(" and ", ", ") for key, value in found.groupdict().items()}
            return before + told[name].format(**named)
    return before + told["other"].format(said=bare)
