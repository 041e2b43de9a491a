"""Stores of print runs: a folder, and a bucket of S3 as moto plays it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from notifiers.paper.stores import FolderStore, S3Store, Store


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give keys that open nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-2")


@pytest.fixture
def bucket(keys: None) -> Iterator[Any]:
    """Give a client of an S3 with one bucket, as moto plays it."""
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(
            Bucket="print-house", CreateBucketConfiguration={"LocationConstraint": "eu-south-2"}
        )
        yield client


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Give each kind of store."""
    if request.param == "folder":
        return FolderStore(tmp_path)
    return S3Store(request.getfixturevalue("bucket"), bucket="print-house", prefix="cobranza/")
