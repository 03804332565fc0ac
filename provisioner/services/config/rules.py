"""AWS Config: the managed rules that each Region evaluates, and the proof that it evaluates them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.spelling import to_text
from ...compare.values import differences
from ...model import (
    Call,
    Change,
    Changes,
    Difference,
    Exists,
    Findings,
    Kind,
    Note,
    Part,
    Refused,
    Scope,
    Target,
    Wait,
)
from ...steps.arrivals import utc_now
from ...steps.permission import ANY_REGION
from ...steps.registry import step, verify
from ...steps.settings import to_api
from ...steps.tags import from_pairs, tags, to_pairs
from .health import rule_finding
from .managed_rules import identifiers, similar
from .rule_reads import ask, basis, by_name, is_deleting
from .rule_section import Rule, more_often, owner_of, parameters_text
from .section import Config
from .state import JsonObject

_FREQUENCY: Final = "MaximumExecutionFrequency"
_KEPT: Final = ("Description", _FREQUENCY, "EvaluationModes")  # if the file does not set them
_MAPPINGS: Final = ("InputParameters", "Scope")
_WRITTEN: Final = (*_MAPPINGS, "Source", "Description", "MaximumExecutionFrequency", "EvaluationModes")


@step(
    "config_rules",
    Config,
    Scope.REGION,
    needs=("config_recorder",),
    clients=("config",),
)
def ensure_config_rules(aws: Aws, baseline: Baseline) -> Changes:
    """Create or repair each rule of the file, and its tags. Rules of other names are left alone.

    A rule fails if a rule of another service, or of another kind, has its name.
    """
    section = baseline[Config]
    want = rules_of(section, aws.target)
    asked = ask(aws.read("config").describe_config_rules, "ConfigRules", want)
    have = {name: each for name, each in by_name(asked, "ConfigRules").items() if not is_deleting(each)}
    tags_asked = {
        name: aws.read("config").list_tags_for_resource(ResourceArn=have[name]["ConfigRuleArn"])
        for name, rule in want.items()
        if rule.tags and name in have
    }
    for name, rule in want.items():
        present = _Present(have.get(name), basis(asked[name], name), tags_asked.get(name))
        yield Part(_title(name), _ensure_rule(aws, name, rule, present, exact=section.exact))


def _tagging(aws: Aws, have: JsonObject) -> Callable[[dict[str, str]], Call]:
    write, arn = aws.write("config"), have["ConfigRuleArn"]
    return lambda missing: write.tag_resource(ResourceArn=arn, Tags=to_pairs(missing))


def rules_of(section: Config, target: Target) -> dict[str, Rule]:
    """The rules of the file for the target's Region, by name. All, if the Region is not known."""
    return {
        name: rule
        for name, rule in section.rules.items()
        if (target.home or not rule.home_region_only)
        and (rule.regions is None or target.region in {*rule.regions, ANY_REGION})
    }


def _refuse_foreign(name: str, have: JsonObject) -> None:
    """Raise Refused if the rule belongs to an AWS service, or is no managed rule."""
    if owner := have.get("CreatedBy") or owner_of(name):
        raise Refused(f"the rule `{name}` belongs to {owner}: give yours another name in `config.rules`")
    kind = have["Source"]["Owner"]
    if kind != "AWS":
        raise Refused(
            f"the rule `{name}` is there as a rule of your own ({kind}), and the baseline's is a managed one:"
            " give one of the two another name"
        )


class _Present(NamedTuple):
    """A rule in AWS, or None; what a request that replaces it is based on; and its tags, where they are read."""

    rule: JsonObject | None
    basis: Reading
    tags: Reading | None


def _ensure_rule(aws: Aws, name: str, rule: Rule, present: _Present, *, exact: bool) -> Changes:
    """Ensure one rule and its tags."""
    have = present.rule
    have_tags = None if present.tags is None else from_pairs(present.tags.all().get("Tags"))
    if have is not None:
        _refuse_foreign(name, have)
        yield Exists(_title(name))
    for each in _ensure_settings(aws, name, rule, have, exact=exact):
        yield replace(each, call=each.call.based_on(present.basis)) if isinstance(each, Change) else each
    if have is not None and have_tags is not None:
        yield from tags(_title(name), have_tags, rule.tags, _tagging(aws, have))


def _ensure_settings(aws: Aws, name: str, rule: Rule, have: JsonObject | None, *, exact: bool) -> Changes:
    """Create or repair the rule, in one request that holds all its fields.

    With *exact*, a rule that is evaluated more often than the file asks gets the file's frequency in a second
    change, for that one needs consent.
    """
    want = rule_settings(rule, have)
    if have is None and rule.source_identifier not in identifiers():
        text = f"is of {rule.source_identifier}, which this version does not know among AWS's managed rules"
        near = similar(rule.source_identifier)
        hint = f"; the most similar one is {near}" if near else ""
        yield Note(Kind.WARNING, _title(name), text + hint)
    frequency, asked = (have or {}).get(_FREQUENCY), rule.maximum_execution_frequency
    # The frequency of another managed rule says nothing about this one.
    stricter = have is not None and _same_managed_rule(want, have) and more_often(frequency, asked)
    text = f"{_FREQUENCY} is {frequency}; the baseline asks for {asked}" if stricter else ""
    if stricter:
        del want[_FREQUENCY]
    changed = differences(normal_rule(have) if have else None, want)
    if changed:
        new_tags = rule.tags if have is None else {}  # AWS ignores the tags of a rule that exists
        changed += tuple(Difference(f"tag {key}", None, value) for key, value in new_tags.items())
        call = _put(aws, name, _full_rule(want, have), new_tags)
        undo = _put(aws, name, {key: have[key] for key in _WRITTEN if key in have}, {}) if have else None
        yield Change(_title(name), changed, call, "update" if have else "create", undo=undo)
    if stricter and exact:
        rarer = (Difference(_FREQUENCY, frequency, asked),)
        call = _put(aws, name, _full_rule({**want, _FREQUENCY: asked}, have), {})
        loses = f"evaluated less often: {text}"
        yield Change(_title(name), rarer, call, consent="record-less", loses=loses)
    elif stricter:
        yield Note(Kind.STRICTER, _title(name), text)


def _put(aws: Aws, name: str, rule: JsonObject, new_tags: Mapping[str, str]) -> Call:
    params: dict[str, Any] = {"ConfigRule": {"ConfigRuleName": name, **rule}}
    if new_tags:
        params["Tags"] = to_pairs(new_tags)
    call = aws.write("config").put_config_rule(**params)
    return call.waiting(
        Wait("ResourceInUseException", f"AWS Config to finish deleting the rule {name}", seconds=300),
        Wait("NoAvailableConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
    )


def normal_rule(have: JsonObject) -> dict[str, Any]:
    """The rule as AWS has it, its parameters parsed. To AWS a missing field, `""` and `{}` are the same."""
    text = have.get("InputParameters")
    parameters = json.loads(text) if text else {}
    scope = have.get("Scope") or {}
    return {
        "Source": have["Source"],
        "Description": have.get("Description") or "",
        "InputParameters": {key: to_text(value) for key, value in parameters.items()},
        "Scope": {
            key: sorted(value) if isinstance(value, list) else value for key, value in scope.items() if value
        },
        _FREQUENCY: have.get(_FREQUENCY),
    }


def rule_settings(rule: Rule, have: JsonObject | None) -> dict[str, Any]:
    """The fields that the file sets, in the shape of `normal_rule`; None for one to remove."""
    present = normal_rule(have) if have else {key: {} for key in _MAPPINGS}
    want: dict[str, Any] = {"Source": {"Owner": "AWS", "SourceIdentifier": rule.source_identifier}}
    # A mapping of the file replaces that of AWS.
    for name, stated in zip(_MAPPINGS, (rule.input_parameters, to_api(rule.scope)), strict=True):
        if stated is not None and (replaced := {**dict.fromkeys(present[name]), **stated}):
            want[name] = replaced
    if rule.description is not None:
        want["Description"] = rule.description
    if rule.maximum_execution_frequency:
        want[_FREQUENCY] = rule.maximum_execution_frequency
    return want


def _full_rule(want: JsonObject, have: JsonObject | None) -> dict[str, Any]:
    """All fields of the rule, because PutConfigRule resets those that it does not get."""
    # Fields of another managed rule may not fit this one.
    kept: dict[str, Any] = {}
    if have and _same_managed_rule(want, have):
        normal = normal_rule(have)
        kept = {key: have[key] for key in _KEPT if key in have}
        kept |= {key: normal[key] for key in _MAPPINGS}
    body = {**{key: {} for key in _MAPPINGS}, **kept, **want}
    for key in _MAPPINGS:
        body[key] = {name: value for name, value in body[key].items() if value is not None}
    body["InputParameters"] = parameters_text(body["InputParameters"]) if body["InputParameters"] else ""
    return {key: value for key, value in body.items() if value or key == "Description"}


def _same_managed_rule(want: JsonObject, have: JsonObject) -> bool:
    return bool(have["Source"].get("SourceIdentifier") == want["Source"]["SourceIdentifier"])


def _title(name: str) -> str:
    return f"config rule {name}"


@verify("config_rules")
def verify_config_rules(aws: Aws, baseline: Baseline) -> Findings:
    """Each rule of the file was evaluated, and its last evaluation did not fail."""
    names = rules_of(baseline[Config], aws.target)
    describe, key = aws.read("config").describe_config_rule_evaluation_status, "ConfigRulesEvaluationStatus"
    statuses = by_name(ask(describe, key, names), key)
    for name in names:
        yield rule_finding(_title(name), statuses.get(name), utc_now())
