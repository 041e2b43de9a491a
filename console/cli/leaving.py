"""Being told to stop (SIGTERM, Ctrl-C) in a way that is heard: the contexts are left, wherever the signal came.

Python raises what a signal's handler raises wherever the main thread is. Where that is the callback of a weak
reference or a finalizer (SQLAlchemy's pool has them, garbage is collected at any time), it is printed and
dropped, and the command goes on as if nothing had been said. It is told again then.
"""

import signal
import sys
from types import FrameType
from typing import Final

__all__ = ["leave_when_told"]

_AGAIN_S: Final = 0.05


class _Told(SystemExit):
    """Somebody asked the command to end."""


def leave_when_told() -> None:
    """Have SIGTERM leave every context as Ctrl-C does, and either be said again where it was dropped.

    Only for the main thread. Those that serve put handlers of their own in these places.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _interrupt)
    before = sys.unraisablehook

    def hear_again(dropped: "sys.UnraisableHookArgs", /) -> None:
        told = dropped.exc_value
        if isinstance(told, _Told):
            _tell_again(_leave)
        elif isinstance(told, KeyboardInterrupt):
            _tell_again(_interrupt)
        else:
            before(dropped)

    sys.unraisablehook = hear_again


def _leave(number: int, _frame: FrameType | None) -> None:
    raise _Told(128 + (signal.SIGTERM if number == signal.SIGALRM else number))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell_again(handler: "signal._HANDLER") -> None:
    # Not at once: that would be dropped like the first.
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
