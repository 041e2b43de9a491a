"""Why what comes in by a hook is not believed or not read: each refusal is one answer to its sender."""

__all__ = ["ForgedError", "MalformedError", "UnavailableError"]


class ForgedError(Exception):
    """Nothing shows that it comes from whom it says: a signature is missing or wrong, or it is of nobody we listen to (403)."""


class MalformedError(Exception):
    """It is not what its sender's documents say it would be (400)."""


class UnavailableError(Exception):
    """It cannot be checked at present, for a reason of ours or of the network's: the sender is to come again (503)."""
