"""The error whose text is written for the person at the terminal.

It owns one class, so that the command line can print the text alone, without a
traceback; it refuses to carry anything that a person could not act upon.
"""

__all__ = ("OperatorError",)


class OperatorError(Exception):
    """Say what is wrong, where, and the way out; the command line prints exactly this text."""
