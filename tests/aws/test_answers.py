"""Tests of answers and errors: absent resources, incomplete answers, pages, and the hint for refused credentials."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from provisioner.aws import Incomplete, Options, Reading, describe
from provisioner.aws.clients import Clients
from provisioner.aws.errors import ClientError
from provisioner.aws.options import Tally
from provisioner.model import Target
from provisioner.sandbox import Fault

from ..conftest import Bench


def reading(answer: Any) -> Reading:
    future: Future[Any] = Future()
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
    return Reading(future, "get_thing")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetThing")


def test_only_the_named_error_codes_mean_absent() -> None:
    assert reading(refusal("NoSuchThing")).found("NoSuchThing") is None
    assert reading(refusal("NoSuchThing")).value("Thing", "NoSuchThing") is None
    for code in ("AccessDenied", "404", ""):
        with pytest.raises(ClientError):
            reading(refusal(code)).found("NoSuchThing", "")


def test_an_answer_without_a_required_key_is_incomplete() -> None:
    with pytest.raises(Incomplete, match="without `Thing`"):
        reading({}).get("Thing")
    with pytest.raises(Incomplete):
        reading({}).value("Thing", "NoSuchThing")
    assert reading({"Thing": []}).get("Thing") == []


def whole(*pages: dict[str, Any]) -> Any:
    """The whole answer, where AWS returns these pages."""
    rest = iter(pages)
    clients = Clients(Options(), Tally())
    return clients.whole("config", "us-east-1", "describe_config_rules", lambda **_: next(rest), {})


def test_pages_are_merged() -> None:
    pages = (
        {"ConfigRules": [1], "NextToken": "t"},
        {"ConfigRules": [], "NextToken": "u"},
        {"ConfigRules": [2]},
    )
    assert whole(*pages) == {"ConfigRules": [1, 2]}


@pytest.mark.parametrize(
    "pages",
    [
        [{}],
        [{"ConfigRules": [1], "NextToken": "t"}, {}],
        [{"NextToken": "t"}, {"ConfigRules": [1]}],
    ],
)
def test_a_page_without_its_list_is_incomplete(pages: list[dict[str, Any]]) -> None:
    with pytest.raises(Incomplete, match="without `ConfigRules`"):
        whole(*pages)


def test_a_global_service_that_refuses_the_credentials_is_no_region_to_enable(bench: Bench) -> None:
    """The Region of botocore's client of IAM is `aws-global`, which nobody can enable."""
    target = Target(bench.world.account_id, "us-east-1")
    cloud = bench.run().cloud  # `run` has called STS in us-east-1
    bench.world.interrupt(lambda call, phase: Fault("InvalidClientTokenId", 403, "no"))
    with pytest.raises(ClientError) as caught:
        cloud.read(target, "iam", "us-east-1", "list_account_aliases", {})
    assert describe("reading", caught.value).hint.startswith("wrong credentials, or a Region")
