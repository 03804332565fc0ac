"""`journal` of the file: a bucket in which the journal is kept, too. Makes no call."""

from typing import Annotated

from pydantic import Field

from .section import NOT_NULL, AccountId, Section, without_null


class JournalBucket(Section):
    """A bucket in which each run also keeps its journal, for functions and containers that have no disk of their own.

    Objects are only created, never changed. Who may write there can make up runs: give the bucket a policy and Object Lock.
    """

    s3_bucket_name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="The bucket, in `home_region`. It must exist; the tool does not create it.",
        json_schema_extra={"want": "the name of a bucket"},
    )
    s3_key_prefix: str = Field(
        "provision",
        pattern=r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$",
        max_length=200,
        description="What the keys of the journal begin with.",
        json_schema_extra={"want": "a prefix without a slash at its ends"},
    )
    bucket_owner: Annotated[
        AccountId | None,
        NOT_NULL,
        Field(
            description="The account that the bucket belongs to. The caller's own where this is left out.",
            json_schema_extra=without_null,
        ),
    ] = None
