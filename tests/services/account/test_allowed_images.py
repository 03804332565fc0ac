"""Tests of allowed AMIs: audit mode first, consents to enforce and to remove criteria of others, stricter settings."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind

from ...conftest import Bench

ACCOUNT = "123456789012"
AMAZON, OTHER = {"ImageProviders": ["amazon"]}, {"ImageProviders": ["999999999999"]}
ENFORCE, REMOVE = "enforce-allowed-images", "remove-image-criteria"


def file(state: str = "enabled") -> str:
    criteria = "image_criteria: [{image_providers: [amazon]}]"
    return f"account: {{allowed_images_settings: {{state: {state}, {criteria}}}}}\n"


def shown(plan: Plan) -> list[tuple[str, Any, str | None]]:
    return [(d.field, d.want, c.consent) for _, c in plan.changes for d in c.differences]


def settings(bench: Bench) -> tuple[str, list[Any]]:
    found = bench.client("ec2").get_allowed_images_settings()
    return found["State"], found["ImageCriteria"]


def switch_on(bench: Bench, state: str, *criteria: dict[str, Any]) -> None:
    ec2 = bench.client("ec2")
    ec2.enable_allowed_images_settings(AllowedImagesSettingsState=state)
    ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[*criteria])


def use(bench: Bench, *images: str) -> None:
    """Launch instances from AMIs that are not allowed."""
    bench.client("ec2").get_allowed_images_settings()
    bench.world.memory["account_region"][ACCOUNT, "us-east-1"]["other_images"] = images


def test_enforcing_what_nobody_has_seen_needs_a_consent(bench: Bench) -> None:
    plan = bench.apply(file())
    assert (plan.changes, settings(bench)) == ([], ("disabled", []))
    assert shown(bench.diff(file())) == [
        ("State", "audit-mode", ENFORCE),
        ("ImageCriteria", [AMAZON], ENFORCE),
        ("State", "enabled", ENFORCE),
    ]
    bench.apply(file(), allow=(ENFORCE,))
    assert settings(bench) == ("enabled", [AMAZON])
    assert bench.diff(file()).changes == []


def test_after_audit_mode_it_is_enforced_without_a_consent(bench: Bench) -> None:
    bench.apply(file("audit-mode"))
    bench.apply(file())
    assert settings(bench) == ("enabled", [AMAZON])


def test_what_somebody_switched_off_is_enforced_again(bench: Bench) -> None:
    switch_on(bench, "enabled", AMAZON)
    bench.client("ec2").disable_allowed_images_settings()
    bench.apply(file())
    assert settings(bench) == ("enabled", [AMAZON])


def test_without_criteria_in_the_file_it_is_not_enforced_where_it_is_off(bench: Bench) -> None:
    text = "account: {allowed_images_settings: {state: enabled}}\n"
    assert shown(bench.diff(text)) == [("State", "enabled", ENFORCE)]


def test_enforcing_needs_a_consent_while_an_ami_in_use_is_not_allowed(bench: Bench) -> None:
    bench.apply(file("audit-mode"))
    use(bench, "ami-1", "ami-2", "ami-1")
    [(_, change)] = bench.diff(file()).changes
    assert (change.consent, change.loses) == (ENFORCE, "launches from AMIs in use: ami-1 (2), ami-2 (1)")
    [finding] = [f for r in bench.run(file("audit-mode")).verify() for f in r.findings]
    assert (finding.ok, finding.detail) == (False, "others are in use: ami-1 (2), ami-2 (1)")


def test_new_criteria_have_not_been_in_audit_mode(bench: Bench) -> None:
    switch_on(bench, "audit-mode", OTHER)
    assert [each[2] for each in shown(bench.diff(file()))] == [ENFORCE, REMOVE, ENFORCE]


def test_criteria_of_others_stay_without_a_consent(bench: Bench) -> None:
    switch_on(bench, "audit-mode", OTHER)
    bench.apply(file("audit-mode"))
    assert settings(bench) == ("audit-mode", [OTHER, AMAZON])
    bench.apply(file("audit-mode"), allow=(REMOVE,))
    assert settings(bench) == ("audit-mode", [AMAZON])


def test_criteria_are_added_and_removed_in_one_run(bench: Bench) -> None:
    switch_on(bench, "audit-mode", OTHER)
    bench.apply(file("audit-mode"), allow=(REMOVE,))
    assert settings(bench) == ("audit-mode", [AMAZON])


def test_criteria_are_compared_by_meaning(bench: Bench) -> None:
    switch_on(bench, "audit-mode", {"ImageProviders": ["amazon", "111122223333"], "ImageNames": []})
    text = file("audit-mode").replace("[amazon]", '["111122223333", amazon]')
    assert bench.diff(text).changes == []


def test_fewer_criteria_that_aws_enforces_are_stricter(bench: Bench) -> None:
    switch_on(bench, "enabled", OTHER)
    text = file().replace("[{", '[{image_providers: ["999999999999"]}, {')
    plan = bench.diff(text)
    assert (plan.changes, len([*plan.notes(Kind.STRICTER)])) == ([], 1)
    exact = text.replace("account: {", "account: {exact: true, ")
    bench.apply(exact, allow=("loosen-account-settings",))
    assert settings(bench) == ("enabled", [OTHER, AMAZON])


def test_a_file_without_criteria_leaves_those_of_aws(bench: Bench) -> None:
    switch_on(bench, "audit-mode", OTHER)
    assert bench.diff("account: {allowed_images_settings: {state: audit-mode}}\n").changes == []


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ("[{}]", "name a provider, a product code, a name or a condition"),
        ("[{image_providers: [none, amazon]}]", "AWS takes no other beside `none`"),
        ("[{image_providers: [microsoft]}]", "want amazon, aws-marketplace"),
    ],
)
def test_mistakes_in_the_criteria(bench: Bench, criteria: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(
            f"account: {{allowed_images_settings: {{state: audit-mode, image_criteria: {criteria}}}}}\n"
        )
