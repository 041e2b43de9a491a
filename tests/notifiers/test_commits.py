"""How far a channel has read: committed once, again where the broker was away, and told only when that lasts."""

from kafka import TopicPartition
from kafka.errors import CommitFailedError, CoordinatorNotAvailableError

from notifiers.commits import Commits

PLACE = TopicPartition("reminders", 0)


class Reader:
    """A consumer at an offset; it fails as told."""

    def __init__(self) -> None:
        self.offset: int | None = 0
        self.commits = 0
        self.faults: list[Exception] = []

    def assignment(self) -> set[TopicPartition]:
        """One partition."""
        return {PLACE}

    def position(self, _: TopicPartition, *, timeout_ms: int) -> int | None:
        """Where it is, if that is known."""
        assert timeout_ms > 0
        return self.offset

    def commit(self, *, timeout_ms: int) -> None:
        """Take it, or fail."""
        if self.faults:
            raise self.faults.pop(0)
        self.commits += 1


def test_a_place_is_committed_once() -> None:
    """Where nothing came, there is nothing to say."""
    reader = Reader()
    commits = Commits(reader, channel="email")
    for offset in (0, 0, 5, 5):
        reader.offset = offset
        commits.step()
    assert 2 == reader.commits


def test_one_commit_that_fails_does_not_take_the_notifier_out_of_service() -> None:
    """A group whose coordinator moves refuses for a moment: it is tried again, and said after ten seconds."""
    reader, now_s = Reader(), [0.0]
    commits = Commits(reader, channel="email", now_s=lambda: now_s[0])
    reader.faults = [CoordinatorNotAvailableError() for _ in range(3)]
    commits.step()
    assert "" == commits.trouble
    now_s[0] = 9.0
    commits.step()
    assert "" == commits.trouble
    now_s[0] = 12.0
    commits.step()
    assert commits.trouble.startswith("the broker has not taken how far was read for 12 s")
    commits.step()
    assert ("", 1) == (commits.trouble, reader.commits)
    now_s[0], reader.offset = 60.0, 1
    reader.faults = [CoordinatorNotAvailableError()]
    commits.step()
    assert "" == commits.trouble


def test_a_group_that_has_moved_on_is_no_trouble_of_the_broker() -> None:
    """Who has the partitions now reads them again."""
    reader, now_s = Reader(), [0.0]
    commits = Commits(reader, channel="email", now_s=lambda: now_s[0])
    reader.faults = [CoordinatorNotAvailableError(), CommitFailedError()]
    commits.step()
    now_s[0] = 30.0
    commits.step()
    assert "" == commits.trouble


def test_a_place_that_the_coordinator_does_not_tell_is_trouble() -> None:
    """It is asked for again at each step, and said after ten seconds; nothing is committed meanwhile."""
    reader, now_s = Reader(), [0.0]
    commits = Commits(reader, channel="email", now_s=lambda: now_s[0])
    reader.offset = None
    commits.step()
    assert "" == commits.trouble
    now_s[0] = 12.0
    commits.step()
    assert "the broker does not say where reminders 0 is read from" in commits.trouble
    reader.offset = 7
    commits.step()
    assert ("", 1) == (commits.trouble, reader.commits)
