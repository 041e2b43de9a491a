"""Where letters and runs are kept: a folder of this machine, or a bucket of S3. Whole, durable, or not there.

A store takes the same name again and then holds the newer content, so that whatever was interrupted is
simply done again. It refuses to know what a run is.
"""

import base64
import errno
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from notifiers.channel import TemporaryError
from notifiers.folders import partial_of, write_whole

__all__ = ["FolderStore", "MissingError", "S3Store", "Store", "open_s3"]

_ABSENT: Final = ("NoSuchKey", "404", "NotFound")
_ATTEMPTS: Final = 3
_TIMEOUT_S: Final = 10
# Not each file system knows second names, nor between all its folders, nor any number of them.
_ONE_NAME: Final = (
    errno.EPERM,
    errno.EXDEV,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
)


class MissingError(Exception):
    """Nothing of that name is in the store."""


class Store(Protocol):
    """Contents by name; a name is a relative path with ``/``."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a content; it is safe when this returns.

        Raises:
            TemporaryError: it is not, as far as anybody knows.
        """
        ...

    def keep(self, name: str, content: bytes, *, of: str) -> None:
        """Keep a content that was read under the name ``of`` under another one, too, as `put` does.

        Raises:
            TemporaryError: it is not kept, as far as anybody knows.
        """
        ...

    def get(self, name: str) -> bytes:
        """Give a content.

        Raises:
            MissingError: there is none.
            TemporaryError: the store does not answer.
        """
        ...

    def drop(self, name: str) -> None:
        """Forget a content; one that is not there is forgotten already.

        Raises:
            TemporaryError: the store does not answer.
        """
        ...

    def place(self, name: str) -> str:
        """Say where a name is, for a person: a path or a URI."""
        ...


class FolderStore:
    """A folder; contents are forced to the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Write the file whole."""
        write_whole(self._folder / name, content, durable=True)

    def keep(self, name: str, content: bytes, *, of: str) -> None:
        """Give the file a second name: to write it again costs a tenth of the letter. Where that cannot be done it is written."""
        path, source = self._folder / name, self._folder / of
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if _is_linked(path, source):
                return
            # A second name that was left under it would have the letter itself written over.
            partial_of(path).unlink(missing_ok=True)
        except OSError as error:
            raise TemporaryError(f"{path} cannot be written: {error}") from error
        self.put(name, content)

    def get(self, name: str) -> bytes:
        """Read the file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise MissingError(self.place(name)) from error
        except OSError as error:
            raise TemporaryError(f"{self.place(name)} cannot be read: {error}") from error

    def drop(self, name: str) -> None:
        """Remove the file."""
        path = self._folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TemporaryError(f"{path} cannot be removed: {error}") from error

    def place(self, name: str) -> str:
        """Give the path."""
        return str(self._folder / name)


def _is_linked(path: Path, source: Path) -> bool:
    """Give a file a second name; False where something else has it, or where files have one name only."""
    try:
        path.hardlink_to(source)
    except FileExistsError:
        return path.samefile(source)
    except OSError as error:
        if error.errno not in _ONE_NAME:
            raise
        return False
    return True


class S3Store:
    """A bucket of S3, below a prefix; each content goes with its SHA-256, which S3 checks on arrival.

    Whatever S3 refuses is for later: a wrong key, a missing bucket or a rule that denies are mended by
    an operator, and no letter is at fault.
    """

    def __init__(self, client: Any, *, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def put(self, name: str, content: bytes) -> None:
        """Put the object."""
        media_type = {"pdf": "application/pdf", "json": "application/json"}.get(name.rpartition(".")[2])
        self._call(
            "put_object",
            name,
            Body=content,
            ContentType=media_type or "application/octet-stream",
            ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        )

    def keep(self, name: str, content: bytes, *, of: str) -> None:  # noqa: ARG002 - its checksum goes along with a content only
        """Put the object."""
        self.put(name, content)

    def get(self, name: str) -> bytes:
        """Get the object."""
        answer = self._call("get_object", name)
        try:
            content: bytes = answer["Body"].read()
        except (
            Exception
        ) as error:  # the body is a stream: what urllib3 and botocore raise from it has no common class
            raise TemporaryError(f"{self.place(name)}: {error}") from error
        return content

    def drop(self, name: str) -> None:
        """Delete the object."""
        self._call("delete_object", name)

    def place(self, name: str) -> str:
        """Give the URI."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def _call(self, operation: str, name: str, **named: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(
                Bucket=self._bucket, Key=self._prefix + name, **named
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if operation == "get_object" and code in _ABSENT:
                raise MissingError(self.place(name)) from error
            raise TemporaryError(f"{self.place(name)}: {error}") from error
        except BotoCoreError as error:
            raise TemporaryError(f"{self.place(name)}: {error}") from error
        return answer


def open_s3(*, region: str = "", endpoint_url: str = "", timeout_s: float = _TIMEOUT_S) -> Any:
    """Make a client of S3; keys come from where boto3 looks for them.

    Args:
        region: "": as boto3 is configured.
        endpoint_url: of a service that speaks S3; "": Amazon's.
        timeout_s: for a connection, and for each answer.
    """
    import boto3
    from botocore.config import Config

    settings = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    return boto3.client("s3", region_name=region or None, endpoint_url=endpoint_url or None, config=settings)
