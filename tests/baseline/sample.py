"""Example sections with every type of field that a real section may have, and functions to read a file with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import Field, RootModel, field_validator, model_validator

from provisioner.baseline import (
    AccountId,
    Baseline,
    BaselineError,
    Contradiction,
    InvalidValue,
    Section,
    Text,
    parse,
)

Days = Annotated[int, Field(ge=0, le=3650)]


class Transition(Section):
    days: Days
    storage_class: Literal["STANDARD_IA", "GLACIER", "DEEP_ARCHIVE"]


class Rule(Section):
    id: Text
    transitions: list[Transition] = Field(default=[])
    expiration: Days | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Rule:
        late = max((each.days for each in self.transitions), default=0)
        if self.expiration is not None and self.expiration <= late:
            raise InvalidValue("expiration", f"want more than the {late} days of the last transition")
        return self


class Bucket(Section):
    name: Annotated[
        str,
        Field(
            pattern="^[a-z0-9-]+$",
            max_length=40,
            json_schema_extra={"want": "a bucket name of up to 40 characters"},
        ),
    ]
    rules: tuple[Rule, ...] = ()
    owners: list[AccountId] = Field(default=[])
    policy: str | None = None
    size: Annotated[float, Field(gt=0)] = 1
    tags: dict[str, str] = Field(default={})

    @field_validator("policy")
    @classmethod
    def _json(cls, policy: str | None) -> str | None:
        if policy and not policy.startswith("{"):
            raise ValueError(f"want a JSON document, it starts with {policy[:20]}")
        return policy


class Buckets(RootModel[dict[str, Bucket]], Section):
    """Buckets for logs, each under a key of its own."""

    model_config = {**Section.model_config, "extra": None}


class Trail(Section):
    name: Text
    bucket: Text
    is_multi_region_trail: bool = True
    include_global_service_events: bool = True

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        if Buckets not in baseline or self.bucket not in baseline[Buckets].root:
            yield Contradiction(("trail", "bucket"), f"no bucket `{self.bucket}` in `buckets`")


class Password(Section):
    minimum_password_length: Annotated[int, Field(ge=6, le=128)] = 14
    require_symbols: bool = True
    max_password_age: Annotated[int, Field(ge=1)] | None = None


SECTIONS: dict[str, type[Section]] = {"buckets": Buckets, "trail": Trail, "password": Password}
HEAD = "organization_name: acme\nhome_region: eu-west-1\n"
HERE = {"account_id": "222222222222", "region": "eu-north-1", "partition": "aws"}


def read(text: str, env: dict[str, str] | None = None) -> Baseline:
    return parse(HEAD + text, "baseline.yaml", SECTIONS, env or {})


def error_of(text: str, env: dict[str, str] | None = None, head: str = HEAD) -> BaselineError:
    with pytest.raises(BaselineError) as caught:
        parse(head + text, "baseline.yaml", SECTIONS, env or {})
    return caught.value


def messages(text: str, env: dict[str, str] | None = None, head: str = HEAD) -> list[str]:
    """The first line of each problem, without the file's name."""
    lines = error_of(text, env, head).render().splitlines()
    return [each.removeprefix("baseline.yaml:") for each in lines if each.startswith("baseline.yaml:")]
