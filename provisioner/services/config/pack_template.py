"""The template of a conformance pack: the names of its rules, and its checksum. Pure: makes no request.

Source: AWS Config Developer Guide, "Creating templates for custom conformance packs".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

TEMPLATE_TAG: Final = "provision:template"
_RULE: Final = "AWS::Config::ConfigRule"
_IN_A_PACK: Final = "-conformance-pack-"  # between the name in the template and an id


class TemplateError(ValueError):
    """A text that is no template of a conformance pack; the message says why."""


def checksum(template: str) -> str:
    """The value of the tag `TEMPLATE_TAG` of a pack of this template. Blanks around the text do not count."""
    return hashlib.sha256(template.strip().encode()).hexdigest()[:32]


def rule_names(template: str) -> dict[str, bool]:
    """The names of the template's rules, and whether AWS always makes them: some have a condition.

    Raises TemplateError for a text that is no template.
    """
    resources = _parse(template).get("Resources")
    if not isinstance(resources, Mapping) or not resources:
        raise TemplateError("want a template with `Resources`")
    found = {}
    for key, resource in resources.items():
        if not isinstance(resource, Mapping) or not str(resource.get("Type", "")).startswith("AWS::Config::"):
            raise TemplateError(f"`Resources.{key}`: want a `Type` of AWS::Config, such as {_RULE}")
        name = (resource.get("Properties") or {}).get("ConfigRuleName")
        if resource["Type"] == _RULE and isinstance(name, str):
            found[name] = "Condition" not in resource
    return found


def name_in_template(rule: str) -> str:
    """The name that the rule of a pack has in its template."""
    return rule.rpartition(_IN_A_PACK)[0] or rule


@lru_cache(64)  # a run asks for the rules of each pack in each account and Region
def _parse(template: str) -> Mapping[str, Any]:
    """The template as a mapping. CloudFormation's short forms, such as `!Ref`, are not evaluated."""
    import yaml

    class Loader(yaml.SafeLoader):
        """A loader that takes tags that it does not know."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: None})
    try:
        found = yaml.load(template, Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise TemplateError(f"is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, Mapping):
        raise TemplateError("want a mapping with `Resources`")
    return found
