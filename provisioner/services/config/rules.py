"""AWS Config: the rules that each Region evaluates, and the proof that it evaluates them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.values import differences
from ...model import (
    Call,
    Change,
    Changes,
    Difference,
    Exists,
    Finding,
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
from ...steps.registry import step, verify
from ...steps.tags import from_pairs, to_pairs
from .health import rule_finding
from .managed_rules import identifiers, parameters_of, similar
from .regional import in_region
from .rule_reads import ask, basis, by_name, is_deleting
from .rule_section import Rule, owner_of
from .rule_settings import (
    DETAILS,
    FREQUENCY,
    full_rule,
    normal_rule,
    rarer,
    refuse_missing_parameters,
    rule_settings,
    with_policy,
)
from .section import Config
from .state import JsonObject, ensure_tags

_WRITTEN: Final = ("InputParameters", "Scope", "Source", "Description", FREQUENCY, "EvaluationModes")
_KINDS: Final = {
    "AWS": "a managed rule",
    "CUSTOM_POLICY": "a policy of your own",
    "CUSTOM_LAMBDA": "a Lambda function of your own",
}


@step(
    "config_rules",
    Config,
    Scope.REGION,
    needs=("config_recorder",),
    clients=("config",),
    field="rules",
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
    # DescribeConfigRules leaves the policy out.
    policies = {
        name: aws.read("config").get_custom_rule_policy(ConfigRuleName=name)
        for name in want
        if name in have and have[name]["Source"]["Owner"] == "CUSTOM_POLICY"
    }
    for name, rule in want.items():
        present = _Present(have.get(name), basis(asked[name], name), tags_asked.get(name), policies.get(name))
        yield Part(_title(name), _ensure_rule(aws, name, rule, present, exact=section.exact))


def rules_of(section: Config, target: Target) -> dict[str, Rule]:
    """The rules of the file for the target's Region, by name."""
    return in_region(section.rules, target)


def _refuse_foreign(name: str, rule: Rule, have: JsonObject) -> None:
    """Raise Refused if the rule belongs to an AWS service, or is of another kind than the file's."""
    if owner := have.get("CreatedBy") or owner_of(name):
        raise Refused(f"the rule `{name}` belongs to {owner}: give yours another name in `config.rules`")
    kind = have["Source"]["Owner"]
    if kind != rule.owner:
        raise Refused(
            f"the rule `{name}` is there as {_KINDS[kind]} ({kind}), and the baseline's is"
            f" {_KINDS[rule.owner]}: give one of the two another name"
        )


class _Present(NamedTuple):
    """A rule in AWS, or None; what a request that replaces it is based on; its tags and its policy, where they are read."""

    rule: JsonObject | None
    basis: Reading
    tags: Reading | None
    policy: Reading | None


def _ensure_rule(aws: Aws, name: str, rule: Rule, present: _Present, *, exact: bool) -> Changes:
    """Ensure one rule and its tags."""
    have = present.rule
    have_tags = None if present.tags is None else from_pairs(present.tags.all().get("Tags"))
    if have is not None:
        _refuse_foreign(name, rule, have)
        yield Exists(_title(name))
    if have is not None and present.policy is not None:
        have = with_policy(have, present.policy.get("PolicyText"))
    for each in _ensure_settings(aws, name, rule, have, exact=exact):
        if isinstance(each, Change):
            call = each.call.based_on(present.basis).based_on(present.policy)
            yield replace(each, call=call)
        else:
            yield each
    if have is not None and have_tags is not None:
        yield from ensure_tags(aws, _title(name), have["ConfigRuleArn"], have_tags, rule.tags)


def _ensure_settings(aws: Aws, name: str, rule: Rule, have: JsonObject | None, *, exact: bool) -> Changes:
    """Create or repair the rule, in one request that holds all its fields.

    With *exact*, a rule that is evaluated more often than the file asks gets the file's frequency in a second
    change, for that one needs consent.
    """
    want = asked = rule_settings(rule, have)
    if have is None and rule.owner == "AWS":
        given = rule.input_parameters or ()
        refuse_missing_parameters(rule.source_identifier, given, f"config.rules.{name}")
        yield from _unknown(name, rule.source_identifier or "", given)
    stricter = rarer(have, asked)
    if FREQUENCY in stricter:
        want = {key: value for key, value in want.items() if key != FREQUENCY}
    if DETAILS in stricter:
        want = {**want, "Source": {**want["Source"], DETAILS: stricter[DETAILS][0]}}
    changed = differences(normal_rule(have) if have else None, want)
    if changed:
        new_tags = rule.tags if have is None else {}  # AWS ignores the tags of a rule that exists
        changed += tuple(Difference(f"tag {key}", None, value) for key, value in new_tags.items())
        call = _put(aws, name, full_rule(want, have), new_tags)
        undo = _put(aws, name, {key: have[key] for key in _WRITTEN if key in have}, {}) if have else None
        yield Change(_title(name), changed, call, "update" if have else "create", undo=undo)
    told = [f"{field} is {now}; the baseline asks for {less}" for field, (now, less) in stricter.items()]
    if stricter and exact:
        seldom = tuple(Difference(field, *both) for field, both in stricter.items())
        call = _put(aws, name, full_rule(asked, have), {})
        loses = f"evaluated less often: {'; '.join(told)}"
        yield Change(_title(name), seldom, call, consent="record-less", loses=loses)
    elif stricter:
        yield from (Note(Kind.STRICTER, _title(name), text) for text in told)


def _unknown(name: str, identifier: str, parameters: Collection[str]) -> Iterator[Note]:
    """Warn of a new rule whose identifier, or one of whose parameters, may be misspelt."""
    if identifier not in identifiers():
        text = f"is of {identifier}, which this version does not know among AWS's managed rules"
        near = similar(identifier)
        hint = f"; the most similar one is {near}" if near else ""
        yield Note(Kind.WARNING, _title(name), text + hint)
    elif unknown := sorted({*parameters} - {*parameters_of(identifier)}):
        text = (
            f"AWS's pages list no parameter {', '.join(unknown)} of {identifier}; AWS Config may refuse this"
        )
        yield Note(Kind.WARNING, _title(name), text)


def _put(aws: Aws, name: str, rule: JsonObject, new_tags: Mapping[str, str]) -> Call:
    params: dict[str, Any] = {"ConfigRule": {"ConfigRuleName": name, **rule}}
    if new_tags:
        params["Tags"] = to_pairs(new_tags)
    call = aws.write("config").put_config_rule(**params)
    if rule["Source"]["Owner"] == "CUSTOM_LAMBDA":
        text = f"AWS Config to be let into the function of the rule {name}"
        call = call.waiting(Wait("InsufficientPermissionsException", text, seconds=30))
    return call.waiting(
        Wait("ResourceInUseException", f"AWS Config to finish deleting the rule {name}", seconds=300),
        Wait("NoAvailableConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
    )


def _title(name: str) -> str:
    return f"config rule {name}"


@verify("config_rules")
def verify_config_rules(aws: Aws, baseline: Baseline) -> Findings:
    """Each rule of the file was evaluated, and its last evaluation did not fail. AWS does not tell for internal ones."""
    names, read = rules_of(baseline[Config], aws.target), aws.read("config")
    describe, key = read.describe_config_rule_evaluation_status, "ConfigRulesEvaluationStatus"
    rules = by_name(ask(read.describe_config_rules, "ConfigRules", names), "ConfigRules")
    statuses = by_name(ask(describe, key, names), key)
    for name in names:
        if rules.get(name, {}).get("RuleEvaluationVisibility") == "INTERNAL":
            yield Finding(
                _title(name), "evaluation", None, "not covered: AWS shows no evaluations of this rule"
            )
            continue
        yield rule_finding(_title(name), statuses.get(name), utc_now())
