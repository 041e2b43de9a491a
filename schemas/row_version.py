"""The version of the rows' form: written into every link, and what changes it.

A worker refuses a partition whose rows a newer version has written (``streams.engine.chain``): it would
read them without the fields that it does not know, and write them back so.
"""

import hashlib
from typing import get_args

from msgspec import json

from schemas.rows import Row

__all__ = ["ROW_VERSION", "row_digest"]

# Raised when a row gets, loses or changes a field, once a release has written rows of this one.
ROW_VERSION = 1


def row_digest() -> str:
    """Give a hash of all row types' JSON schemas; a test pins it to ``ROW_VERSION``. Wording does not count."""
    schemas = json.schema_components(get_args(Row))
    return hashlib.blake2b(json.encode(_plain(schemas), order="sorted"), digest_size=12).hexdigest()


def _plain(schema: object) -> object:
    """Leave out what is said in words: docstrings and titles."""
    if isinstance(schema, dict):
        return {
            name: _plain(each)
            for name, each in schema.items()
            if not (
                name in ("description", "title") and isinstance(each, str)
            )  # a field of that name is a schema
        }
    if isinstance(schema, list | tuple):
        return [_plain(each) for each in schema]
    return schema
