"""Variables of sending: a misspelt one is no silence."""

import importlib
import pkgutil

import pytest
from pydantic_settings import BaseSettings

import notifiers
from notifiers.settings import SettingsError
from notifiers.variables import KINDS, PREFIX, require_known


def test_a_misspelt_sandbox_is_refused() -> None:
    """With it left aside, a rehearsal would write to customers."""
    with pytest.raises(SettingsError) as caught:
        require_known(["PATH", "COBRANZA_SEND_EMAIL", "COBRANZA_SEND_SANBDOX_EMAIL"])
    assert "COBRANZA_SEND_SANBDOX_EMAIL is no setting: is COBRANZA_SEND_SANDBOX_EMAIL meant?" == str(
        caught.value
    )


def test_names_are_known_as_the_settings_read_them() -> None:
    """In any case of letters; what is not ours is nobody's business."""
    require_known(["cobranza_send_smtp_host", "COBRANZA_SEND_DKIM_KEY_FILE", "COBRANZA_SEND", "SMTP_HOST"])


def test_every_kind_of_settings_is_known() -> None:
    """Each class below notifiers/ that reads COBRANZA_SEND_ variables is in the list."""
    for module in pkgutil.walk_packages(notifiers.__path__, "notifiers."):
        importlib.import_module(module.name)
    found, left = set(), [BaseSettings]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.model_config.get("env_prefix", "").startswith(PREFIX) and kind.__module__.startswith(
            "notifiers."
        ):
            found.add(kind)
    assert found == set(KINDS)
