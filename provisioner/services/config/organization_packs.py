"""One conformance pack of the organization, whose template AWS does not return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...compare.values import differences
from ...model import Call, Change, Changes, Difference, Exists
from ...steps.tags import to_pairs
from .conformance_packs import PARAMETERS, parameters_of, with_parameters
from .organization_section import OrganizationConformancePack
from .organization_state import STATUS, Deployed, ResourceKind, sending, sorted_accounts
from .pack_template import TEMPLATE_TAG, checksum
from .state import JsonObject, ensure_tags, read_tags

PACKS: Final = ResourceKind(
    "conformance pack",
    "OrganizationConformancePack",
    (
        "describe_organization_conformance_packs",
        "describe_organization_conformance_pack_statuses",
        "get_organization_conformance_pack_detailed_status",
    ),
    "Status",
    "OrganizationConformancePackDetailedStatuses",
    "Status",
)
_EXCLUDED: Final = "ExcludedAccounts"
_KEPT: Final = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix")
_ARN: Final = "OrganizationConformancePackArn"


def ensure_pack(aws: Aws, name: str, pack: OrganizationConformancePack, found: Deployed) -> Changes:
    """Create or repair one pack, and its tags, one of which has the checksum of the template that was put last."""
    title, have = PACKS.title(name), found.of(name)
    template = checksum(pack.template_body or pack.template_s3_uri or "")
    want_tags = {**pack.tags, TEMPLATE_TAG: template}
    if have is None:
        want = {**_settings(pack, {}), STATUS: "CREATE_SUCCESSFUL"}
        made = differences(None, {"Template": template, **want})
        made += tuple(Difference(f"tag {key}", None, value) for key, value in want_tags.items())
        yield Change(title, made, _put(aws, name, pack, want, want_tags), "create")
        return
    yield Exists(title)
    yield from found.notes(name)
    arn, present = have[_ARN], _normal(have)
    have_tags = read_tags(aws, arn)
    want = _settings(pack, present)
    changed = differences(present, {**want, **found.want_status(have)})
    if have_tags.get(TEMPLATE_TAG) != template:
        changed = (Difference("Template", have_tags.get(TEMPLATE_TAG), template), *changed)
    if changed:
        call = _put(aws, name, pack, {**present, **want}, {}).based_on(found.basis(name))
        # Pending if the request fails: the tag must not say that the template is there.
        arn = (yield Change(title, changed, call))[_ARN]
    yield from ensure_tags(aws, title, arn, have_tags, want_tags)


def _normal(have: JsonObject) -> dict[str, Any]:
    """The pack's settings, its parameters as a mapping."""
    kept = {key: have[key] for key in _KEPT if have.get(key)}
    return {**kept, PARAMETERS: parameters_of(have), _EXCLUDED: sorted_accounts(have), STATUS: have[STATUS]}


def _settings(pack: OrganizationConformancePack, present: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the file sets, in the shape of `_normal`; None for a parameter to remove."""
    made: dict[str, Any] = {
        "DeliveryS3Bucket": pack.delivery_s3_bucket,
        "DeliveryS3KeyPrefix": pack.delivery_s3_key_prefix,
        _EXCLUDED: pack.excluded_accounts,
    }
    if pack.input_parameters is not None:
        made[PARAMETERS] = {**dict.fromkeys(present.get(PARAMETERS, {})), **pack.input_parameters}
    return {key: value for key, value in made.items() if value or (value is not None and present.get(key))}


def _put(
    aws: Aws, name: str, pack: OrganizationConformancePack, full: JsonObject, new_tags: Mapping[str, str]
) -> Call:
    """The request with all settings. AWS takes tags of a new pack only."""
    params: dict[str, Any] = {"OrganizationConformancePackName": name}
    params |= {key: full[key] for key in _KEPT if full.get(key)}
    if pack.template_body:
        params["TemplateBody"] = pack.template_body
    else:
        params["TemplateS3Uri"] = pack.template_s3_uri
    params |= with_parameters(full)
    params[_EXCLUDED] = full.get(_EXCLUDED) or []
    if new_tags:
        params["Tags"] = to_pairs(new_tags)
    return sending(aws.write("config").put_organization_conformance_pack(**params), PACKS, name)
