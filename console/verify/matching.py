"""Facts as replayed against facts as written, account by account and in order, while both are read; pure.

Both sides come in nearly the same order, so only what has no partner yet is kept. Between accounts
the order may differ (a worker that took a tick in other slices); within an account it may not.
"""

from collections import deque
from dataclasses import dataclass, field

import msgspec

from console.replaying import value_difference
from console.verify.findings import PartitionReport

__all__ = ["FactMatch"]


class _Id(msgspec.Struct, gc=False):
    id: str


_ids = msgspec.json.Decoder(_Id)


@dataclass(slots=True)
class _Pending:
    replayed: deque[tuple[int, bytes]] = field(default_factory=deque)
    written: deque[bytes] = field(default_factory=deque)


class FactMatch:
    """The facts of one topic's partition.

    Args:
        span: differences at other journal positions are not told.
    """

    def __init__(self, *, topic: str, report: PartitionReport, span: tuple[int, float]) -> None:
        self._topic = topic
        self._report = report
        self._span = span
        self._pending: dict[str, _Pending] = {}
        self._position = 0
        self._waiting = 0  # replayed facts without a partner

    def replay(self, account: str, *, value: bytes, position: int) -> None:
        """Take a fact that the replay of the record at this journal position gives."""
        self._position = position
        self._report.facts += 1
        self._of(account).replayed.append((position, value))
        self._waiting += 1
        self._settle(account)

    def read(self, account: str, *, value: bytes) -> None:
        """Take a fact that is written."""
        self._of(account).written.append(value)
        self._settle(account)

    @property
    def lacks(self) -> bool:
        """Whether a replayed fact still waits for its partner: more of the topic is to be read."""
        return self._waiting > 0

    def end(self, *, at_rest: bool) -> None:
        """Tell what has no partner.

        Args:
            at_rest: nothing was committed after the replay's end, so that nothing may be left over.
        """
        for account, pending in self._pending.items():
            for position, value in pending.replayed:
                self._tell_missing(account, value, position)
            for value in pending.written if at_rest else ():
                self._tell_foreign(account, value, self._position)
        self._pending.clear()

    def _of(self, account: str) -> _Pending:
        return self._pending.setdefault(account, _Pending())

    def _settle(self, account: str) -> None:
        """Pair heads; where they differ, go on where both sides are in step again."""
        pending = self._pending[account]
        replayed, written = pending.replayed, pending.written
        while replayed and written:
            position, ours = replayed[0]
            if ours == written[0] or _id(ours) == _id(written[0]):
                self._tell_other(account, ours, written[0], position)
                replayed.popleft()
                written.popleft()
                self._waiting -= 1
            elif not self._skip(account, pending):
                return  # what both have is still to come
        if not replayed and not written:
            del self._pending[account]

    def _skip(self, account: str, pending: _Pending) -> bool:
        """Tell what is before the first fact that both sides have, and drop it; False when there is none yet."""
        places = {_id(value): place for place, value in reversed(list(enumerate(pending.written)))}
        both = (
            (missing, places[identity])
            for missing, (_, value) in enumerate(pending.replayed)
            if (identity := _id(value)) in places
        )
        missing, foreign = next(both, (-1, -1))
        if missing < 0:
            return False
        position = pending.replayed[missing][0]
        for _ in range(missing):
            at, value = pending.replayed.popleft()
            self._tell_missing(account, value, at)
        self._waiting -= missing
        for _ in range(foreign):
            self._tell_foreign(account, pending.written.popleft(), position)
        return True

    def _tell_other(self, account: str, ours: bytes, theirs: bytes, position: int) -> None:
        what = "" if ours == theirs else value_difference(replayed=ours, written=theirs)
        if what:
            self._tell(account, ours, position, expected="as replayed", found=what)

    def _tell_missing(self, account: str, value: bytes, position: int) -> None:
        self._tell(account, value, position, expected="this fact, in this place", found="none")

    def _tell_foreign(self, account: str, value: bytes, position: int) -> None:
        self._tell(
            account, value, position, expected="no such fact in this place", found=value.decode()[:500]
        )

    def _tell(self, account: str, value: bytes, position: int, *, expected: str, found: str) -> None:
        if self._span[0] <= position < self._span[1]:
            row = f"{self._topic} {_id(value)} (journal position {position})"
            self._report.object_to("facts", account=account, row=row, expected=expected, found=found)


def _id(value: bytes) -> str:
    return _ids.decode(value).id
