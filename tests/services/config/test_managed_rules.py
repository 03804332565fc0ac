"""Tests of the identifiers of managed rules: each misspelling is seen, and a new rule is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.services.config import managed_rules
from provisioner.services.config.managed_rules import (
    identifiers,
    intended,
    intended_parameter,
    is_evaluated_at_changes_only,
    missing_parameters,
    parameters_of,
    similar,
)
from provisioner.services.config.organization_section import OrganizationRule
from provisioner.services.config.rule_section import Rule

from ...conftest import Bench, one_in, parse_file

KNOWN = sorted(identifiers())
WORD = 6  # letters, of a word in which one wrong letter is no other word


def test_the_list_has_the_form_of_identifiers() -> None:
    assert len(KNOWN) > 800
    assert [each for each in KNOWN if not each.replace("_", "").isalnum() or each != each.upper()] == []
    assert {intended(each) for each in KNOWN} == {""}


@given(st.sampled_from(KNOWN), st.data())
def test_a_misspelt_word_is_seen(identifier: str, data: st.DataObject) -> None:
    words = identifier.split("_")
    places = [i for i, word in enumerate(words) if len(word) >= WORD and word.isalpha()]
    assume(places)
    place = data.draw(st.sampled_from(places))
    word = words[place]
    at = data.draw(st.integers(1, len(word) - 2))
    kind = data.draw(st.sampled_from(["dropped", "doubled", "swapped"]))
    wrong = {
        "dropped": word[:at] + word[at + 1 :],
        "doubled": word[: at + 1] + word[at:],
        "swapped": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    }[kind]
    misspelt = "_".join([*words[:place], wrong, *words[place + 1 :]])
    assume(misspelt not in identifiers())
    assert intended(misspelt) in identifiers()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ENCRYPTED_VOLUME", "ENCRYPTED_VOLUMES"),
        ("encrypted-volumes", "ENCRYPTED_VOLUMES"),
        ("ENCRYPTEDVOLUMES", "ENCRYPTED_VOLUMES"),
        ("CLOUDTRAIL_ENABLED", "CLOUD_TRAIL_ENABLED"),
        ("ENABLED_CLOUD_TRAIL", "CLOUD_TRAIL_ENABLED"),
        ("IAM_PASSWORD_POLICIES", "IAM_PASSWORD_POLICY"),
        ("VPC_FLOW_LOG_ENABLED", "VPC_FLOW_LOGS_ENABLED"),
    ],
)
def test_other_spellings(written: str, meant: str) -> None:
    assert intended(written) == meant


@pytest.mark.parametrize("identifier", [each for each in KNOWN if parameters_of(each)])
def test_each_parameter_is_taken_and_seen_when_its_case_or_a_letter_is_wrong(identifier: str) -> None:
    known = parameters_of(identifier)
    for name in known:
        assert intended_parameter(identifier, name) == ""
        assert intended_parameter(identifier, name.swapcase()) == name
        if len(name) > WORD:
            assert intended_parameter(identifier, name[:3] + name[4:]) in known
        assert intended_parameter(identifier, "noSuchThing") == ""


@pytest.mark.parametrize("section", [Rule, OrganizationRule])
def test_a_misspelt_parameter_is_an_error_of_the_file(section: type[Rule | OrganizationRule]) -> None:
    rule = {"source_identifier": "ACCESS_KEYS_ROTATED", "input_parameters": {"max_access_key_age": "90"}}
    with pytest.raises(ValueError, match="no parameter 'max_access_key_age': did you mean 'maxAccessKeyAge'"):
        section.model_validate(rule)


HOURLY = "One_Hour"
FILE = """
log_buckets: {{logs: {{name: acme-logs}}}}
config:
  delivery_channel: {{s3_bucket_name: logs}}
  rules:
    r: {}
"""


def in_the_sandbox(bench: Bench, rule: dict[str, Any]) -> bool:
    """Whether the sandbox takes the rule."""
    made = {
        "ConfigRuleName": "r",
        "Source": {"Owner": "AWS", "SourceIdentifier": rule["source_identifier"]},
        "InputParameters": json.dumps(rule.get("input_parameters") or {}),
        "MaximumExecutionFrequency": rule.get("maximum_execution_frequency"),
    }
    given = {key: value for key, value in made.items() if value}
    try:
        bench.client("config").put_config_rule(ConfigRule=given)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidParameterValueException"  # noqa: PT017 - of the sandbox
        return False
    return True


@pytest.mark.parametrize("identifier", KNOWN[:: one_in(25)])
def test_validate_and_the_sandbox_take_the_same_rules(bench: Bench, identifier: str) -> None:
    bench.apply(FILE.format("{source_identifier: ENCRYPTED_VOLUMES}"))
    required = dict.fromkeys(missing_parameters(identifier, ()), "1")
    for parameters in ({}, required):
        for frequency in (None, HOURLY):
            rule = {"source_identifier": identifier, "input_parameters": parameters}
            rule |= {"maximum_execution_frequency": frequency} if frequency else {}
            try:
                Rule.model_validate(rule)
                good = True
            except ValueError:
                good = False
            assert (rule, in_the_sandbox(bench, rule)) == (rule, good)
            assert good == (
                parameters == required and not (frequency and is_evaluated_at_changes_only(identifier))
            )


@pytest.mark.parametrize("section", [Rule, OrganizationRule])
def test_what_a_managed_rule_does_not_take_is_told_all_at_once(
    section: type[Rule | OrganizationRule],
) -> None:
    # terraform-provider-aws issue 16665, and trussworks/terraform-aws-config pull request 171.
    assert missing_parameters("ACCESS_KEYS_ROTATED", ()) == ["maxAccessKeyAge"]
    assert is_evaluated_at_changes_only("S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED")
    rule = {
        "source_identifier": "DESIRED_INSTANCE_TYPE",
        "input_parameters": {"instance_typ": "x"},
        "maximum_execution_frequency": HOURLY,
    }
    text = yaml.safe_dump(rule, default_flow_style=True, width=999).strip()
    with pytest.raises(BaselineError) as caught:
        parse_file("organization_name: acme\nhome_region: us-east-1" + FILE.format(text))
    found = {each.path.rpartition("r.")[2]: each.message for each in caught.value.problems}
    assert set(found) == {"input_parameters.instance_typ", "maximum_execution_frequency"}
    with pytest.raises(ValueError, match="requires the parameter 'tag1Key'"):
        section.model_validate({"source_identifier": "REQUIRED_TAGS", "input_parameters": {"tag2Key": "x"}})


def test_a_new_rule_without_a_required_parameter_is_seen_by_diff_and_an_old_one_keeps_its_own(
    bench: Bench,
) -> None:
    bench.apply(FILE.format("{source_identifier: ENCRYPTED_VOLUMES}"))
    text = FILE.format("{source_identifier: ENCRYPTED_VOLUMES}\n    tags: {source_identifier: REQUIRED_TAGS}")
    [failure] = [each for result in bench.diff(text).results for each in result.failures]
    assert "add it to `config.rules.tags.input_parameters`" in failure.message
    source = {"Owner": "AWS", "SourceIdentifier": "REQUIRED_TAGS"}
    given = {"ConfigRuleName": "tags", "Source": source, "InputParameters": '{"tag1Key":"team"}'}
    bench.client("config").put_config_rule(ConfigRule=given)
    assert bench.diff(text).changes == []


def test_a_parameter_that_no_page_lists_is_a_warning(bench: Bench) -> None:
    rule = "{source_identifier: IAM_ROOT_ACCESS_KEY_CHECK, input_parameters: {MinimumPasswordLength: 14}}"
    [warning] = [each.text for _, each in bench.diff(FILE.format(rule)).notes(Kind.WARNING)]
    assert "no parameter MinimumPasswordLength" in warning


def test_a_rule_that_is_new_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule in turn is taken out of the list: fewer than one in a hundred looks like another one, misspelt."""
    refused = []
    for each in KNOWN[::4]:
        rest = identifiers() - {each}
        words = frozenset(word for one in rest for word in one.split("_"))
        with monkeypatch.context() as patch:
            patch.setattr(managed_rules, "identifiers", lambda rest=rest: rest)
            patch.setattr(managed_rules, "_vocabulary", lambda words=words: words)
            if intended(each):
                refused.append(each)
    assert len(refused) * 100 < len(KNOWN[::4]), refused


def test_the_most_similar_one() -> None:
    assert similar("S3_PUBLIC_READ_PROHIBITED") == "S3_BUCKET_PUBLIC_READ_PROHIBITED"
    assert (similar("ZZZ"), similar("ENCRYPTED_VOLUMES")) == ("", "")
