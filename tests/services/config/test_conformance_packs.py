"""Tests of the step config_conformance_packs: templates, parameters, tags, states, and packs of others."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.sandbox import Fault, WireCall
from provisioner.services.config.pack_template import TEMPLATE_TAG, checksum, name_in_template, rule_names

from ...conftest import Bench
from .sample import EVERYTHING, config_file, fields, notes

ONLY = ("config_conformance_packs",)
NAME = "encryption"
RULE = "{Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: %s}}"
TEMPLATE = f"Parameters: {{Days: {{Type: String}}}}\nResources: {{A: {RULE % 'a'}}}\n"
PACK = {"template_body": TEMPLATE, "input_parameters": {"Days": 90}, "tags": {"team": "security"}}
MANAGED = {"source_identifier": "AWS_FOUNDATIONS", "scope": {"tag_key": "env"}}


def file(**pack: Any) -> str:
    section = {"recorder": {"recording_group": EVERYTHING}, "conformance_packs": {NAME: pack}}
    return config_file(section)


def drift(bench: Bench, **pack: Any) -> list[tuple[str, Any, Any]]:
    return fields(bench.diff(file(**pack), only=ONLY))


def put(bench: Bench, **given: Any) -> None:
    """Put the pack as another user, and let AWS finish."""
    client = bench.client("config")
    client.put_conformance_pack(ConformancePackName=NAME, **given)
    client.describe_conformance_pack_status()


def test_a_pack_is_made_and_waited_for(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    [shown] = bench.client("config").describe_conformance_packs()["ConformancePackDetails"]
    assert shown["ConformancePackInputParameters"] == [{"ParameterName": "Days", "ParameterValue": "90"}]
    assert [each.until for each in bench.waits] == [f"AWS to show what was written: conformance pack {NAME}"]
    assert drift(bench, **PACK) == []


def test_what_a_pack_of_others_with_the_name_loses_is_told(bench: Bench) -> None:
    """AWS does not return a template, so that only the rules tell."""
    bench.apply(config_file({"recorder": {"recording_group": EVERYTHING}}), only=("config_recorder",))
    put(bench, TemplateBody=TEMPLATE.replace("ConfigRuleName: a", "ConfigRuleName: theirs"))
    [(_, text)] = notes(bench.diff(file(**PACK), only=ONLY))
    assert "its rules theirs are deleted" in text
    bench.apply(file(**PACK), only=ONLY)
    assert notes(bench.diff(file(**PACK), only=ONLY)) == []


def test_another_template_in_the_file_is_put_and_then_tagged(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    changed = {**PACK, "template_body": TEMPLATE.replace("ConfigRuleName: a", "ConfigRuleName: b")}
    assert [field for field, *_ in drift(bench, **changed)] == ["TemplateBody", f"tag {TEMPLATE_TAG}"]
    bench.world.calls.clear()
    bench.apply(file(**changed), only=ONLY)
    assert [each.operation for each in bench.world.writes] == ["PutConformancePack", "TagResource"]
    assert drift(bench, **changed) == []


def test_a_template_that_could_not_be_put_gets_no_tag(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    changed = file(**{**PACK, "template_body": TEMPLATE + "# more\n"})

    def refuse(call: WireCall, phase: str) -> Fault | None:
        return Fault("AccessDenied", 403) if call.operation == "PutConformancePack" else None

    bench.world.calls.clear()
    bench.world.interrupt(refuse)
    run = bench.run(changed, only=ONLY)
    run.send(run.rehearse())
    assert "TagResource" not in {each.operation for each in bench.world.writes}


def test_rules_of_another_template_are_drift_and_what_the_file_leaves_out_stays(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    put(bench, TemplateBody=TEMPLATE.replace("ConfigRuleName: a", "ConfigRuleName: b"))
    assert drift(bench, template_body=TEMPLATE) == [("TemplateBody", ["b"], ["a"])]
    put(bench, TemplateBody=TEMPLATE, DeliveryS3Bucket="awsconfigconforms-1")
    assert drift(bench, template_body=TEMPLATE) == []
    assert drift(bench, **PACK) == [("ConformancePackInputParameters.Days", None, "90")]
    bench.apply(file(**PACK), only=ONLY)
    [shown] = bench.client("config").describe_conformance_packs()["ConformancePackDetails"]
    assert shown["DeliveryS3Bucket"] == "awsconfigconforms-1"


def test_a_pack_that_aws_could_not_make_is_put_again_with_the_reason(bench: Bench) -> None:
    bench.apply(file(**PACK), only=("config_recorder",))
    bench.apply(file(**PACK), only=ONLY)
    [kept] = bench.world.memory["config_conformance_packs"].values()
    kept[NAME] |= {"state": "UPDATE_FAILED", "reason": "no such rule"}
    plan = bench.diff(file(**PACK), only=ONLY)
    assert fields(plan) == [("ConformancePackState", "UPDATE_FAILED", "UPDATE_COMPLETE")]
    assert ("WARNING", f"conformance pack {NAME}: UPDATE_FAILED: no such rule") in notes(plan)
    results = bench.run(file(**PACK), only=ONLY).verify()
    [finding] = [f for r in results for f in r.findings if NAME in f.resource]
    assert (finding.ok, finding.detail) == (False, "UPDATE_FAILED: no such rule")
    bench.apply(file(**PACK), only=ONLY)
    assert drift(bench, **PACK) == []


def test_a_pack_that_is_being_deleted_is_waited_for_and_made(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    bench.client("config").delete_conformance_pack(ConformancePackName=NAME)
    assert {action.action for _, action in bench.apply(file(**PACK), only=ONLY).changes} == {"create"}


def test_a_managed_pack_and_one_of_another_kind(bench: Bench) -> None:
    bench.apply(file(**MANAGED), only=ONLY)
    assert drift(bench, **MANAGED) == []
    put(bench, Source={"SourceIdentifier": "OTHER"})
    assert [field for field, *_ in drift(bench, **MANAGED)] == ["Source.SourceIdentifier", "Scope.TagKey"]
    [failed] = bench.diff(file(**PACK), only=ONLY).failed
    assert failed.failure is not None
    assert failed.failure.message.startswith(f"the pack `{NAME}` is there as a managed one")


def test_a_pack_of_a_service_is_refused(bench: Bench) -> None:
    bench.apply(file(**PACK), only=ONLY)
    [kept] = bench.world.memory["config_conformance_packs"].values()
    kept[NAME]["shown"]["CreatedBy"] = "config-multiaccountsetup.amazonaws.com"
    [failed] = bench.diff(file(**PACK), only=ONLY).failed
    assert failed.failure is not None
    assert "belongs to config-multiaccountsetup.amazonaws.com" in failed.failure.message


def test_template() -> None:
    conditional = "Resources:\n  A:\n    Type: AWS::Config::ConfigRule\n    Condition: c\n    Properties:\n"
    short = (
        conditional + "      ConfigRuleName: a\n      InputParameters: {x: !If [c, 1, !Ref 'AWS::NoValue']}\n"
    )
    assert rule_names(short) == {"a": False}
    assert rule_names(TEMPLATE) == {"a": True}
    assert checksum(TEMPLATE) == checksum(TEMPLATE.strip())
    assert name_in_template("a-b-conformance-pack-1x2y") == "a-b"


@pytest.mark.parametrize(
    ("pack", "words"),
    [
        ({}, "encryption: want one of `template_body` and `source_identifier`"),
        ({**PACK, **MANAGED}, "want one of `template_body` and `source_identifier`"),
        ({"template_body": "a: b"}, "template_body: want a template with `Resources`"),
        ({"template_body": "a: ["}, "template_body: is no YAML"),
        ({"template_body": "[]"}, "want a mapping with `Resources`"),
        ({"template_body": "Resources: {A: {Type: x}}"}, "`Resources.A`: want a `Type` of AWS::Config"),
        ({**PACK, "scope": {"tag_key": "a"}}, "scope: is for managed packs"),
        ({**PACK, "input_parameters": {f"p{i}": "x" for i in range(61)}}, "AWS takes 60 parameters"),
        ({**PACK, "tags": {TEMPLATE_TAG: "x"}}, "is the tag of the template's checksum"),
    ],
)
def test_error(bench: Bench, pack: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(file(**pack))
    assert words in str(error.value)
