"""The IAM permissions that the rules and conformance packs of AWS Config need."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.permission import (
    APPLY,
    VERIFY,
    Permission,
    allow,
    permits,
    regional,
    within,
)
from .linked_roles import linked_roles_permissions
from .regional import arns_in_region, in_each_region, in_region
from .rules import rules_of
from .section import Config


@permits("config_rules")
def config_rules_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the rules of the Region, and read their evaluation status.

    A rule's ARN ends in an id that AWS chooses, so a policy cannot name the rules of the file; reads have no
    resource at all.
    """
    rules, in_region = rules_of(baseline[Config], target), within(target)
    if not rules:
        return
    every_rule, narrowed = regional(target, baseline, "config", "config-rule/*")
    yield from allow("ConfigSettings", "config", "DescribeConfigRules", condition=in_region)
    status = "DescribeConfigRuleEvaluationStatus"
    yield from allow("ConfigSettings", "config", status, condition=in_region, purposes=VERIFY)
    tagged = any(rule.tags for rule in rules.values())
    writes = "PutConfigRule TagResource" if tagged else "PutConfigRule"
    yield from allow("ConfigRules", "config", writes, on=every_rule, condition=narrowed, purposes=APPLY)
    # For a policy in one Region in all of them: two statements would take a tenth of what fits into a policy.
    if any(rule.owner == "CUSTOM_POLICY" for rule in baseline[Config].rules.values()):
        policy = "GetCustomRulePolicy"
        yield from allow("ConfigRules", "config", [policy], on=every_rule, condition=narrowed)
    if tagged:
        yield from allow("ConfigRules", "config", "ListTagsForResource", on=every_rule, condition=narrowed)


@permits("config_conformance_packs")
def config_conformance_packs_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the packs of the Region. AWS Config makes the rules in them with a role of its own."""
    packs = in_region(baseline[Config].conformance_packs, target)
    if not packs:
        return
    names = sorted(packs)
    found = [
        arns_in_region(
            target, baseline, f"conformance-pack/{each}/*", baseline[Config].conformance_packs.values()
        )
        for each in names
    ]
    on, narrowed = tuple(name for each, _ in found for name in each), found[0][1]
    of_all = "DescribeConformancePacks DescribeConformancePackStatus"
    yield from allow("ConfigSettings", "config", of_all, condition=in_each_region(baseline))
    with_template = any(each.template_body for each in packs.values())
    tagged = with_template or any(each.tags for each in packs.values())
    reads = [*(["DescribeConformancePackCompliance"] if with_template else [])]
    reads += ["ListTagsForResource"] if tagged else []
    yield from allow("ConfigPacks", "config", reads, on=on, condition=narrowed)
    writes = ["PutConformancePack", *(["TagResource"] if tagged else [])]
    yield from allow("ConfigPacks", "config", writes, on=on, condition=narrowed, purposes=APPLY)
    yield from linked_roles_permissions(target, baseline)
