"""AWS Config: what repairs the resources that a rule finds, and the resources that are excepted from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.values import differences
from ...model import Call, Change, Changes, Exists, Kind, Note, Part, Scope, Target
from ...steps.arrivals import utc_now
from ...steps.registry import step
from ...steps.settings import Strictness, settings, to_api
from .remediation_section import ParameterSource, Remediation, RemediationException
from .rules import rules_of
from .section import Config
from .state import JsonObject

_MOST: Final = 25  # rules, and exceptions, that AWS returns in one answer
STEP: Final = "config_remediation"
_LIST: Final = "RemediationConfigurations"
_CONTROLS: Final = "ExecutionControls"
_SSM: Final = "SsmControls"
_UNCHANGEABLE: Final = ("Arn", "CreatedByService")
_PLAIN: Final = (
    *("target_id", "target_version", "resource_type", "automatic"),
    *("maximum_automatic_attempts", "retry_attempt_seconds"),
)


def remediations_of(section: Config, target: Target) -> dict[str, Remediation]:
    """The remediations of the file for the target's Region, by the name of their rule."""
    return {name: each.remediation for name, each in rules_of(section, target).items() if each.remediation}


class _Asked(NamedTuple):
    """The reads of one rule at a time: its remediation; for its exceptions, those of AWS and the resources that it finds."""

    now: datetime
    remediation: Reading
    exceptions: list[Reading]
    found: Reading | None


@step(
    STEP,
    Config,
    Scope.REGION,
    needs=("config_rules",),
    clients=("config", "ssm", "iam"),
    field="remediated_rules",
)
def ensure_config_remediation(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure the remediation of each rule that has one in the file, and its exceptions. Others are left alone."""
    section, now = baseline[Config], utc_now()
    want = remediations_of(section, aws.target)
    asked = {name: _ask(aws, name, [*want], each, now) for name, each in want.items()}
    for name, each in want.items():
        have = _of_rule(name, {_LIST: asked[name].remediation.get(_LIST)})
        parts = [
            Part(
                remediation_title(name),
                _remediation(aws, name, each, (have, asked[name].remediation), exact=section.exact),
            )
        ]
        for exception in each.exceptions:
            title = _exception_title(name, exception)
            changes = _exception(aws, (title, name), exception, asked[name], automatic=bool(each.automatic))
            parts.append(Part(title, changes))
        # Exceptions come first where AWS takes them, as it may remediate at once by itself.
        yield from parts[1:] + parts[:1] if have else parts


def remediation_title(name: str) -> str:
    """The name of a rule's remediation in plans."""
    return f"remediation of config rule {name}"


def _ask(aws: Aws, name: str, names: list[str], want: Remediation, now: datetime) -> _Asked:
    """Start the reads of one rule. Remediations are read many at a time, which AWS is asked for once."""
    read = aws.read("config")
    first = names.index(name) // _MOST * _MOST
    remediation = read.describe_remediation_configurations(ConfigRuleNames=names[first : first + _MOST])
    keys = [_resource_key(each) for each in want.exceptions if not _has_expired(each, now)]
    exceptions = [
        read.describe_remediation_exceptions(ConfigRuleName=name, ResourceKeys=keys[start : start + _MOST])
        for start in range(0, len(keys), _MOST)
    ]
    found = None
    if keys:
        found = read.get_compliance_details_by_config_rule(
            ConfigRuleName=name, ComplianceTypes=["NON_COMPLIANT"]
        )
    return _Asked(now, remediation, exceptions, found)


def _of_rule(name: str, answer: JsonObject) -> Any:
    """The remediation of the rule in an answer, empty if there is none."""
    return next((each for each in answer[_LIST] if each["ConfigRuleName"] == name), {})


def _remediation(
    aws: Aws, name: str, want: Remediation, found: tuple[JsonObject, Reading], *, exact: bool
) -> Changes:
    """Create or repair the remediation of one rule, in one request that holds all its fields. *found*: what AWS has."""
    have, reading = found
    if have:
        yield Exists(remediation_title(name))

    def put(full: Mapping[str, Any]) -> Call:
        kept = {key: value for key, value in full.items() if key not in _UNCHANGEABLE}
        made = {**kept, "ConfigRuleName": name, "TargetType": "SSM_DOCUMENT"}
        call = aws.write("config").put_remediation_configurations(RemediationConfigurations=[made])
        basis = reading.at(partial(_of_rule, name), ConfigRuleNames=[name])
        call = call.failing_on("FailedBatches").based_on(basis)
        return call.using(f"config_rules/config rule {name}")

    for each in settings(
        remediation_title(name),
        have,
        _settings(want, have),
        put,
        Strictness({}, exact),
        whole=True,
        action="update" if have else "create",
        owner=lambda: str(have.get("CreatedByService") or ""),
    ):
        # A rule that is new, too, finds the resources that are excepted only after the plan was made.
        excepted = tuple(_exception_title(name, exception) for exception in want.exceptions)
        yield replace(each, contains=excepted) if isinstance(each, Change) and not have else each


def _exception_title(name: str, exception: RemediationException) -> str:
    return f"remediation exception {name} {exception.resource_type} {exception.resource_id}"


def _settings(want: Remediation, have: JsonObject) -> dict[str, Any]:
    """The fields that the file sets, by AWS's names."""
    made: dict[str, Any] = to_api(
        {field: value for field in _PLAIN if (value := getattr(want, field)) is not None}
    )
    if want.parameters is not None:
        made["Parameters"] = {name: _parameter(each) for name, each in want.parameters.items()}
    if want.execution_controls is not None:
        present = (have.get(_CONTROLS) or {}).get(_SSM) or {}
        made[_CONTROLS] = {_SSM: {**present, **to_api(want.execution_controls)[_SSM]}}
    return made


def _parameter(source: ParameterSource) -> dict[str, Any]:
    if source.static_value is not None:
        return {"StaticValue": {"Values": source.static_value}}
    return {"ResourceValue": {"Value": source.resource_value}}


def _resource_key(exception: RemediationException) -> dict[str, str]:
    return {"ResourceType": exception.resource_type, "ResourceId": exception.resource_id}


def _has_expired(exception: RemediationException, now: datetime) -> bool:
    return exception.expires is not None and exception.expires <= now


def _exception(
    aws: Aws, names: tuple[str, str], want: RemediationException, asked: _Asked, *, automatic: bool
) -> Changes:
    """Ensure one exception. *names* are its title and its rule's.

    AWS takes one and makes none for a resource that the rule does not find: it is made when the rule does.
    """
    title, rule = names
    if _has_expired(want, asked.now):
        text = f"expired on {want.expiration_time}, and AWS has forgotten it: drop it, or give a later time"
        yield Note(Kind.WARNING, title, text)
        return
    key = _resource_key(want)
    listed = (each for reading in asked.exceptions for each in reading.get("RemediationExceptions"))
    have = next((_normal(each) for each in listed if key.items() <= each.items()), {})
    expires = {"ExpirationTime": _time(want.expires)} if want.expires else {}
    stated = {**({"Message": want.message} if want.message else {}), **expires}
    if have:
        yield Exists(title)
        if not differences(have, stated):
            return
    if (want.resource_type, want.resource_id) not in set(_found(asked.found)):
        if automatic:  # else nothing happens until somebody remediates, and a run before that makes it
            text = "AWS takes no exception of a resource that the rule does not find NON_COMPLIANT: it is made when it does"
            text += "; set `automatic: false` until then, or AWS may remediate it first"
            yield Note(Kind.WARNING, title, text)
        return
    shown = stated or {"ResourceId": want.resource_id}
    yield from settings(
        title,
        have,
        shown,
        _putting(aws, rule, key),
        Strictness({}, exact=False),
        whole=True,
        action="update" if have else "create",
    )


def _putting(aws: Aws, rule: str, key: dict[str, str]) -> Callable[[dict[str, Any]], Call]:
    """Return the function that makes the request for an exception with all its fields."""

    def put(full: Mapping[str, Any]) -> Call:
        kept = {name: value for name, value in full.items() if name in {"Message", "ExpirationTime"}}
        call = aws.write("config").put_remediation_exceptions(ConfigRuleName=rule, ResourceKeys=[key], **kept)
        return call.failing_on("FailedBatches").using(f"{STEP}/{remediation_title(rule)}")

    return put


def _normal(have: JsonObject) -> dict[str, Any]:
    """The exception as AWS has it, its time as text."""
    expires = have.get("ExpirationTime")
    return {**have, **({"ExpirationTime": _time(expires)} if expires else {})}


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds")


def _found(reading: Reading | None) -> Iterator[tuple[str, str]]:
    """Type and id of the resources that the rule finds NON_COMPLIANT; none while there is no such rule."""
    results = reading.value("EvaluationResults", "NoSuchConfigRuleException") if reading else None
    for each in results or ():
        resource = each.get("EvaluationResultIdentifier", {}).get("EvaluationResultQualifier", {})
        yield resource.get("ResourceType", ""), resource.get("ResourceId", "")
