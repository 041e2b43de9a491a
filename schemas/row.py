"""What every row of state is, so that kinds of rows can live in files of their own."""

from msgspec import Struct

__all__ = ["StateRow"]


class StateRow(Struct, kw_only=True, gc=False, omit_defaults=True, tag_field="kind"):
    """A row of state; its tag is the kind in its key."""
