"""The constants that ship, and a user's own over them; each with its unit and where it comes from."""

from importlib import resources
from pathlib import Path

import msgspec
from msgspec import Struct

from console.sizing.model import Constants
from infra.errors import OperatorError

__all__ = ["Constant", "ConstantsError", "read_constants"]


class Constant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure; ``measured`` is the command that prints it, else ``assumed`` says why it is as it is."""

    value: float
    unit: str = ""
    measured: str = ""
    assumed: str = ""


class ConstantsError(OperatorError):
    """A file of constants is wrong; says which entry."""


def read_constants(own: Path | None = None) -> tuple[Constants, dict[str, Constant]]:
    """Read the shipped constants, a user's own file over them; for the model, and with their sources.

    Raises:
        ConstantsError: the file is no TOML, has an unknown name or a value that is not above zero.
    """
    shipped = resources.files("console.sizing").joinpath("constants.toml").read_text(encoding="utf-8")
    found = msgspec.toml.decode(shipped, type=dict[str, Constant])
    if own is not None:
        try:
            given = msgspec.toml.decode(own.read_text(encoding="utf-8"), type=dict[str, Constant])
        except (msgspec.DecodeError, OSError) as error:
            raise ConstantsError(f"{own}: {error}") from error
        for name, constant in given.items():
            if name not in found or constant.value <= 0:
                raise ConstantsError(f"{own}: {name}: no constant of the model, or not above zero")
            found[name] = msgspec.structs.replace(
                constant, unit=found[name].unit, assumed=constant.assumed or f"given in {own.name}"
            )
    return Constants(**{name: constant.value for name, constant in found.items()}), found
