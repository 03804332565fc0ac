"""Ways to break the conformance packs of AWS Config by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of
from ..pack_template import name_in_template

_PARAMETERS = "ConformancePackInputParameters"
OTHER_TEMPLATE = (
    "Resources: {Theirs: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: theirs}}}"
)


def _same_rules(client: Any, pack: str) -> str:
    """A template with rules of the names that the pack has; AWS does not return its own."""
    found = client.describe_conformance_pack_compliance(ConformancePackName=pack)
    names = [name_in_template(each["ConfigRuleName"]) for each in found["ConformancePackRuleComplianceList"]]
    kind = "AWS::Config::ConfigRule"
    rules = {
        f"R{at}": {"Type": kind, "Properties": {"ConfigRuleName": each}} for at, each in enumerate(names)
    }
    return json.dumps({"Resources": rules})


@breaks("config_conformance_packs", regional=True)
def pack_breaks(admin: Administrator) -> Iterator[Break]:
    """Replace the template and the settings of each pack, remove its tags, and delete it."""
    client = admin.client("config")
    for pack in client.describe_conformance_packs()["ConformancePackDetails"]:
        name, arn, source = pack["ConformancePackName"], pack["ConformancePackArn"], pack.get("Source")
        broken, where = breaks_of(f"conformance pack {name}"), f"conformance pack {name} in {admin.region}"
        kept = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix", _PARAMETERS, "Source", "Scope")
        full = {key: pack[key] for key in ("ConformancePackName", *kept) if key in pack}

        def put(full: dict[str, Any] = full, **other: Any) -> None:
            client.put_conformance_pack(**full, **other)
            client.describe_conformance_pack_status()  # it is in progress once

        if source is None:
            yield broken("TemplateBody", f"put other rules into {where}", put, TemplateBody=OTHER_TEMPLATE)
        if source is None and (parameters := pack.get(_PARAMETERS)):
            theirs = {**full, _PARAMETERS: [{**each, "ParameterValue": "theirs"} for each in parameters]}
            text, asked = f"changed the parameters of {where}", "conformance_packs.*.input_parameters"
            same = {"TemplateBody": _same_rules(client, name)}
            yield broken(_PARAMETERS, text, put, asked, full=theirs, **same)
        for key in (tag["Key"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]):
            text, tag = f"removed the tag {key} of {where}", {"ResourceArn": arn, "TagKeys": [key]}
            own = key.startswith("provision:")  # then nobody knows the template, either
            asked = "" if own else "conformance_packs.*.tags"
            yield broken("" if own else f"tag {key}", text, client.untag_resource, asked, **tag)

        def delete(name: str = name) -> None:
            client.delete_conformance_pack(ConformancePackName=name)
            client.describe_conformance_pack_status()  # a deleted pack is listed once more

        yield broken("", f"deleted {where}", delete)
