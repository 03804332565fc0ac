"""AWS Config: the managed rules that each Region evaluates, and the proof that it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.spelling import spelled
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
    Refused,
    Scope,
    Wait,
)
from ...steps.arrivals import moment, utc_now
from ...steps.registry import step, verify
from ...steps.tags import from_pairs, tags, to_pairs
from .health import error_text
from .rule_section import Rule, more_often, owner_of, parameters_text
from .section import Config
from .state import Thing

_NAMES: Final = 25  # that AWS takes in one request
_FREQUENCY: Final = "MaximumExecutionFrequency"
_KEPT: Final = ("Description", _FREQUENCY, "EvaluationModes")  # where the file has no say in them


@step("config_rules", Config, Scope.REGION, needs=("config_recorder",), clients=("config",))
def ensure_config_rules(aws: Aws, baseline: Baseline) -> Changes:
    """Each rule of the file is there as the file has it. Rules of other names are left alone.

    Raises Refused where a name of the file is taken by a rule of another service, or of another kind.
    """
    section = baseline[Config]
    wanted = wanted_rules(aws, section)
    have = read_rules(aws, wanted)
    for name, found in have.items():
        _refuse_foreign(name, found)
    tagged = {
        name: aws.read("config").list_tags_for_resource(ResourceArn=have[name]["ConfigRuleArn"])
        for name, rule in wanted.items()
        if rule.tags and name in have
    }
    # Every question is answered before the first change: a write makes the answers old.
    there = {name: from_pairs(asked.all().get("Tags")) for name, asked in tagged.items()}
    for name, rule in wanted.items():
        if name in have:
            yield Exists(_title(name))
        yield from _ensure_rule(aws, name, rule, have.get(name), exact=section.exact)
        if name in there:
            yield from tags(_title(name), there[name], rule.tags, _tagging(aws, have[name]))


def _tagging(aws: Aws, have: Thing) -> Callable[[dict[str, str]], Call]:
    write, arn = aws.write("config"), have["ConfigRuleArn"]
    return lambda missing: write.tag_resource(ResourceArn=arn, Tags=to_pairs(missing))


def wanted_rules(aws: Aws, section: Config) -> dict[str, Rule]:
    """The rules of the file that belong into this Region, by name."""
    return {
        name: rule for name, rule in section.rules.items() if aws.target.home or not rule.home_region_only
    }


def read_rules(aws: Aws, wanted: Mapping[str, Rule]) -> dict[str, Thing]:
    """The rules of AWS that have a name of the file, without those that are being deleted."""
    read = aws.read("config")
    asked = [read.describe_config_rules(ConfigRuleNames=names) for names in _batches(wanted)]
    listed = _answered(asked, "ConfigRules")
    if listed is None:
        listed = read.describe_config_rules().get("ConfigRules")
    return {
        str(each["ConfigRuleName"]): each
        for each in listed
        if each["ConfigRuleName"] in wanted and each.get("ConfigRuleState") != "DELETING"
    }


def _batches(wanted: Mapping[str, Rule]) -> Iterator[list[str]]:
    names = sorted(wanted)
    return (names[start : start + _NAMES] for start in range(0, len(names), _NAMES))


def _answered(asked: Sequence[Reading], key: str) -> list[Thing] | None:
    """What was asked for by name, or None where AWS lacks one of the names: then it answers nothing at all.

    By name is what costs least where nothing is missing: other services may have hundreds of rules.
    """
    answers = [each.value(key, "NoSuchConfigRuleException") for each in asked]
    return None if None in answers else [each for answer in answers for each in answer]


def _refuse_foreign(name: str, have: Thing) -> None:
    owner = have.get("CreatedBy") or owner_of(name)
    if owner:
        raise Refused(f"the rule `{name}` belongs to {owner}: give yours another name in `config.rules`")
    kind = have["Source"]["Owner"]
    if kind != "AWS":
        raise Refused(
            f"the rule `{name}` is there as a rule of your own ({kind}), and the baseline's is a managed one:"
            " give one of the two another name"
        )


def _ensure_rule(aws: Aws, name: str, rule: Rule, have: Thing | None, *, exact: bool) -> Changes:
    """The rule is there, with all that the file says of it, in one request that holds the whole of it.

    With *exact*, a rule that is evaluated more often is slowed down in a second request, which the repair does
    not wait for.
    """
    want = wanted_rule(rule, have)
    frequency, asked = (have or {}).get(_FREQUENCY), rule.maximum_execution_frequency
    # How often another rule was evaluated says nothing about this one.
    stricter = have is not None and _same_kind(want, have) and more_often(frequency, asked)
    text = f"{_FREQUENCY} is {frequency}; the baseline asks for {asked}" if stricter else ""
    if stricter:
        del want[_FREQUENCY]
    changed = differences(shown_rule(have) if have else None, want)
    if changed:
        made = rule.tags if have is None else {}  # AWS takes no notice of them later
        changed += tuple(Difference(f"tag {key}", None, value) for key, value in made.items())
        yield Change(
            _title(name), changed, _put(aws, name, _body(want, have), made), "update" if have else "create"
        )
    if stricter and exact:
        slower = (Difference(_FREQUENCY, frequency, asked),)
        call = _put(aws, name, _body({**want, _FREQUENCY: asked}, have), {})
        loses = f"evaluated less often: {text}"
        yield Change(_title(name), slower, call, consent="record-less", loses=loses)
    elif stricter:
        yield Note(Kind.STRICTER, _title(name), text)


def _put(aws: Aws, name: str, body: Thing, made: Mapping[str, str]) -> Call:
    params: dict[str, Any] = {"ConfigRule": {"ConfigRuleName": name, **body}}
    if made:
        params["Tags"] = to_pairs(made)
    return (
        aws.write("config")
        .put_config_rule(**params)
        .waiting(
            Wait("ResourceInUseException", f"AWS Config to finish deleting the rule {name}", seconds=300),
            Wait("NoAvailableConfigurationRecorderException", "AWS Config to see its recorder", seconds=30),
        )
    )


def shown_rule(have: Thing) -> dict[str, Any]:
    """The rule as AWS has it, its parameters parsed; nothing, `""` and `{}` are the same to AWS."""
    text = have.get("InputParameters")
    parameters = json.loads(text) if text else {}
    scope = have.get("Scope") or {}
    return {
        "Source": have["Source"],
        "Description": have.get("Description") or "",
        "InputParameters": {key: spelled(value) for key, value in parameters.items()},
        "Scope": {
            key: sorted(value) if isinstance(value, list) else value for key, value in scope.items() if value
        },
        _FREQUENCY: have.get(_FREQUENCY),
    }


def wanted_rule(rule: Rule, have: Thing | None) -> dict[str, Any]:
    """What the file has a say in, in the shape of `shown_rule`; None for what is to go."""
    present = shown_rule(have) if have else {"InputParameters": {}, "Scope": {}}
    scope = rule.scope.to_api() if rule.scope else {}
    want: dict[str, Any] = {"Source": {"Owner": "AWS", "SourceIdentifier": rule.source_identifier}}
    if parameters := {**dict.fromkeys(present["InputParameters"]), **rule.input_parameters}:
        want["InputParameters"] = parameters
    if wider := {**dict.fromkeys(present["Scope"]), **scope}:
        want["Scope"] = wider
    if rule.description is not None:
        want["Description"] = rule.description
    if rule.maximum_execution_frequency:
        want[_FREQUENCY] = rule.maximum_execution_frequency
    return want


def _body(want: Thing, have: Thing | None) -> dict[str, Any]:
    """The rule as PutConfigRule takes it: what it is not told, it forgets."""
    # What another rule was told may be nothing for this one.
    kept = {key: have[key] for key in _KEPT if key in have} if have and _same_kind(want, have) else {}
    body = {**kept, **want}
    for key in ("Scope", "InputParameters"):
        body[key] = {name: value for name, value in want.get(key, {}).items() if value is not None}
    body["InputParameters"] = parameters_text(body["InputParameters"]) if body["InputParameters"] else ""
    return {key: value for key, value in body.items() if value or key == "Description"}


def _same_kind(want: Thing, have: Thing) -> bool:
    return bool(have["Source"].get("SourceIdentifier") == want["Source"]["SourceIdentifier"])


def _title(name: str) -> str:
    return f"config rule {name}"


@verify("config_rules")
def verify_config_rules(aws: Aws, baseline: Baseline) -> Findings:
    """Each rule of the file was evaluated, and its last evaluation did not fail."""
    wanted, read = wanted_rules(aws, baseline[Config]), aws.read("config")
    asked = [read.describe_config_rule_evaluation_status(ConfigRuleNames=names) for names in _batches(wanted)]
    listed = _answered(asked, "ConfigRulesEvaluationStatus")
    if listed is None:
        listed = read.describe_config_rule_evaluation_status().get("ConfigRulesEvaluationStatus")
    statuses = {str(each["ConfigRuleName"]): each for each in listed}
    for name in wanted:
        yield rule_finding(name, statuses.get(name), utc_now())


def rule_finding(name: str, status: Thing | None, now: datetime) -> Finding:
    """What the evaluation status of one rule proves; None is for a rule that is not there."""
    title, check = _title(name), "evaluation"
    if status is None:
        return Finding(title, check, False, "there is no such rule")
    good = status.get("LastSuccessfulEvaluationTime")
    bad = max(
        filter(None, (status.get("LastFailedEvaluationTime"), status.get("LastFailedInvocationTime"))),
        default=None,
    )
    error = error_text(status.get("LastErrorCode"), status.get("LastErrorMessage"))
    if bad is not None and (good is None or bad > good):
        return Finding(title, check, False, f"failed at {moment(bad, now)}: {error}")
    if good is not None:
        return Finding(title, check, True, f"succeeded at {moment(good, now)}")
    if status.get("LastErrorCode"):
        return Finding(title, check, False, f"failed: {error}")
    return Finding(title, check, None, "not evaluated yet")
