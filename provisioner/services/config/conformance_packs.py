"""AWS Config: the conformance packs of each Region, which AWS makes and changes in the background."""

from __future__ import annotations

from collections.abc import Iterator
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
    Wait,
)
from ...steps.registry import step, verify
from ...steps.settings import to_api
from ...steps.tags import from_pairs, to_pairs
from .conformance_pack_section import ConformancePack
from .pack_template import TEMPLATE_TAG, checksum, name_in_template, rule_names
from .regional import in_region
from .section import Config
from .state import JsonObject, ensure_tags, read_tags

PARAMETERS: Final = "ConformancePackInputParameters"
_PAIR: Final = ("ParameterName", "ParameterValue")
_MISSING: Final = "NoSuchConformancePackException"
_STATE: Final = "ConformancePackState"
_COMPLETE: Final = "COMPLETE"
_DONE: Final = f"_{_COMPLETE}"
_SECONDS: Final = 300.0  # that AWS may take to make or delete a pack; Terraform waits as long


class _Asked(NamedTuple):
    """The reads of one pack: its settings, the states of all packs, and the rules that it has."""

    pack: Reading
    states: Reading
    rules: Reading | None


@step(
    "config_conformance_packs",
    Config,
    Scope.REGION,
    needs=("config_recorder",),
    clients=("config",),
    field="conformance_packs",
)
def ensure_config_conformance_packs(aws: Aws, baseline: Baseline) -> Changes:
    """Create or repair each pack of the file, and its tags. A pack that AWS could not make is put again."""
    want, read = in_region(baseline[Config].conformance_packs, aws.target), aws.read("config")
    if not want:
        return
    states = read.describe_conformance_pack_status()
    asked = {
        name: _Asked(
            read.describe_conformance_packs(ConformancePackNames=[name]),
            states,
            read.describe_conformance_pack_compliance(ConformancePackName=name)
            if pack.template_body
            else None,
        )
        for name, pack in want.items()
    }
    for name, pack in want.items():
        yield Part(_title(name), _ensure_pack(aws, name, pack, asked[name]))


def _title(name: str) -> str:
    return f"conformance pack {name}"


def _state(states: Reading, name: str) -> JsonObject:
    """The state of the pack, empty if there is none."""
    found = states.get("ConformancePackStatusDetails")
    return next((each for each in found if each["ConformancePackName"] == name), {})


def _ensure_pack(aws: Aws, name: str, pack: ConformancePack, asked: _Asked) -> Changes:
    """Ensure one pack. AWS does not return its template, so a tag has the checksum of the one that was put last."""
    title, state = _title(name), _state(asked.states, name)
    have = (asked.pack.value("ConformancePackDetails", _MISSING) or [None])[0]
    if state.get(_STATE) == "DELETE_IN_PROGRESS":
        have = None
    want_tags = {**pack.tags, **({TEMPLATE_TAG: checksum(pack.template_body)} if pack.template_body else {})}
    if have is None:
        want = _settings(pack, None)
        shown = {**want, **({"TemplateBody": want_tags[TEMPLATE_TAG]} if pack.template_body else {})}
        made = (
            *differences(None, shown),
            *(Difference(f"tag {k}", None, v) for k, v in want_tags.items()),
            Difference(
                _STATE, None, f"CREATE{_DONE}"
            ),  # else a pack whose answer was lost would not be in the plan
        )
        yield Change(title, made, _put(aws, name, pack, want, want_tags), "create")
        return
    _refuse_foreign(name, pack, have)
    yield Exists(title)
    arn = have["ConformancePackArn"]
    have_tags = read_tags(aws, arn) if want_tags else {}
    want, present = _settings(pack, have), _normal(have)
    changed = (*differences(present, want), *_template_differences(pack, have_tags, state, asked.rules))
    if not changed:
        yield from _unfinished(title, state)
        changed = _state_differences(state)
    put_now = arn
    if changed:
        if pack.template_body and TEMPLATE_TAG not in have_tags:
            yield from _others_rules(title, pack.template_body, asked.rules)
        call = _put(aws, name, pack, {**present, **want}, {})
        # Pending if the request fails: the tag must not say that the template is there.
        put_now = (yield Change(title, changed, call.based_on(asked.pack)))["ConformancePackArn"]
    yield from ensure_tags(aws, title, put_now, have_tags, want_tags)


def _refuse_foreign(name: str, pack: ConformancePack, have: JsonObject) -> None:
    if owner := have.get("CreatedBy"):
        raise Refused(
            f"the pack `{name}` belongs to {owner}: choose another name in `config.conformance_packs`"
        )
    managed = have.get("Type") == "MANAGED" or bool(have.get("Source"))
    if managed is bool(pack.template_body):
        kind = "a managed one" if managed else "one with a template"
        raise Refused(f"the pack `{name}` is there as {kind}: give one of the two another name")


def _settings(pack: ConformancePack, have: JsonObject | None) -> dict[str, Any]:
    """The fields that the file sets, in the shape of `_normal`; None for a parameter to remove."""
    want: dict[str, Any] = {}
    if pack.source_identifier:
        want["Source"] = {"SourceIdentifier": pack.source_identifier}
    if pack.delivery_s3_bucket:
        want["DeliveryS3Bucket"] = pack.delivery_s3_bucket
    if pack.delivery_s3_key_prefix:
        want["DeliveryS3KeyPrefix"] = pack.delivery_s3_key_prefix
    if pack.scope:
        want["Scope"] = to_api(pack.scope)
    if pack.input_parameters is not None:
        present = _normal(have)[PARAMETERS] if have else {}
        want[PARAMETERS] = {**dict.fromkeys(present), **pack.input_parameters}
    return {key: value for key, value in want.items() if value}


def parameters_of(have: JsonObject) -> dict[str, str]:
    """The parameters that a pack has in AWS, as a mapping."""
    return from_pairs(have.get(PARAMETERS), *_PAIR)


def with_parameters(full: JsonObject) -> dict[str, Any]:
    """The field of a request with the parameters of *full*, without those to remove; no field if there are none."""
    given = {key: value for key, value in full.get(PARAMETERS, {}).items() if value is not None}
    return {PARAMETERS: to_pairs(given, *_PAIR)} if given else {}


def _normal(have: JsonObject) -> dict[str, Any]:
    """The pack's settings, its parameters as a mapping."""
    kept = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix", "Source", "Scope")
    return {**{key: have[key] for key in kept if have.get(key)}, PARAMETERS: parameters_of(have)}


def _template_differences(
    pack: ConformancePack, have_tags: dict[str, str], state: JsonObject, rules: Reading | None
) -> tuple[Difference, ...]:
    """The difference of the template: another checksum, or other rules in the pack than the template has."""
    if pack.template_body is None:
        return ()
    have, want = have_tags.get(TEMPLATE_TAG), checksum(pack.template_body)
    if have != want:
        return (Difference("TemplateBody", have, want),)
    found = rules.value("ConformancePackRuleComplianceList", _MISSING) if rules else None
    if found is None or not str(state.get(_STATE)).endswith(_COMPLETE):
        return ()
    names, asked = (
        {name_in_template(each["ConfigRuleName"]) for each in found},
        rule_names(pack.template_body),
    )
    if names <= {*asked} and names >= {name for name, always in asked.items() if always}:
        return ()
    return (Difference("TemplateBody", sorted(names), sorted(asked)),)


def _others_rules(title: str, template: str, rules: Reading | None) -> Iterator[Note]:
    """Warn of what a pack without our tag loses: another one may have the name by chance."""
    found = (rules.value("ConformancePackRuleComplianceList", _MISSING) if rules else None) or ()
    names = {name_in_template(each["ConfigRuleName"]) for each in found}
    if lost := sorted(names - rule_names(template).keys()):
        text = (
            f"is there with another template: its rules {', '.join(lost)} are deleted; if others made it, give yours"
            " another name"
        )
        yield Note(Kind.WARNING, title, text)


def _unfinished(title: str, state: JsonObject) -> Changes:
    """Tell why AWS could not make the pack, if it says so."""
    if str(state.get(_STATE)).endswith("_FAILED"):
        reason = state.get("ConformancePackStatusReason") or "AWS does not say why"
        yield Note(Kind.WARNING, title, f"{state[_STATE]}: {reason}")


def _state_differences(state: JsonObject) -> tuple[Difference, ...]:
    """The state, if the pack is not there yet: after a change it is waited for, and a failed one is put again."""
    have = str(state.get(_STATE))
    if have.endswith(_COMPLETE):
        return ()
    return (Difference(_STATE, have, f"{have.partition('_')[0]}{_DONE}"),)


def _put(aws: Aws, name: str, pack: ConformancePack, full: JsonObject, new_tags: dict[str, str]) -> Call:
    """The request with all settings, because PutConformancePack resets those that it does not get."""
    params: dict[str, Any] = {"ConformancePackName": name}
    params |= {key: value for key, value in full.items() if value and key != PARAMETERS}
    if pack.template_body:
        params["TemplateBody"] = pack.template_body
    params |= with_parameters(full)
    if new_tags:  # AWS ignores the tags of a pack that exists
        params["Tags"] = to_pairs(new_tags)
    call = aws.write("config").put_conformance_pack(**params)
    busy = Wait("ResourceInUseException", f"AWS Config to finish with the pack {name}", seconds=_SECONDS)
    return replace(call.waiting(busy), settles=_SECONDS)


@verify("config_conformance_packs")
def verify_config_conformance_packs(aws: Aws, baseline: Baseline) -> Findings:
    """AWS has made each pack of the file."""
    want = in_region(baseline[Config].conformance_packs, aws.target)
    if not want:
        return
    states = aws.read("config").describe_conformance_pack_status()
    for name in want:
        state = _state(states, name)
        have = str(state.get(_STATE) or "there is no such pack")
        ok = None if have.endswith("_IN_PROGRESS") else have.endswith(_COMPLETE)
        reason = state.get("ConformancePackStatusReason")
        yield Finding(_title(name), "made", ok, f"{have}: {reason}" if reason and not ok else have)
