"""Tests of the account's steps: public buckets, owners from above, keys, contacts, stricter values and proofs."""

from __future__ import annotations

import json

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall, store
from provisioner.sandbox.drift import Administrator, carry_out, every_break

from ...conftest import MEMBER, Bench, assume_account
from ...permissions.sample import Caller, actions, assert_well_formed, least, without

ACCOUNT = "123456789012"
FLAGS = "block_public_acls: true, ignore_public_acls: true, block_public_policy: true, restrict_public_buckets: true"
BLOCK = f"account: {{s3_public_access_block: {{{FLAGS}}}}}\n"
BLOCK_TITLE = "S3 public access block of the account"
OPEN = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
)


def notes(plan: Plan, kind: Kind) -> list[str]:
    return [note.text for _, note in plan.notes(kind)]


def make_public(bench: Bench, name: str, region: str = "us-east-1") -> None:
    """A bucket with a policy that lets everybody read."""
    s3 = bench.client("s3", region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=OPEN)
    read = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))


def test_the_public_access_block_needs_a_consent_while_a_bucket_is_public(bench: Bench) -> None:
    make_public(bench, "site-policy")
    s3 = bench.client("s3")
    for name in ("site-acl", "site-web", "private"):
        s3.create_bucket(Bucket=name)
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=OPEN)
    writer = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket="site-acl", OwnershipControls=writer)
    s3.put_bucket_acl(Bucket="site-acl", ACL="public-read")
    s3.put_bucket_website(Bucket="site-web", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    plan = bench.diff(BLOCK)
    [(_, change)] = plan.changes
    assert change.consent == "block-public-buckets"
    assert change.loses == "public access to site-acl, site-policy, site-web"
    assert [text.split(":")[0] for text in notes(plan, Kind.WARNING)] == [
        "bucket site-acl is open to the public (ACL)",
        "bucket site-policy is open to the public (policy)",
        "bucket site-web is open to the public (website)",
    ]
    bench.apply(BLOCK)
    assert len(bench.diff(BLOCK).changes) == 1
    bench.apply(BLOCK, allow=("block-public-buckets",))
    assert bench.diff(BLOCK).changes == []


def test_a_bucket_with_a_block_of_its_own_and_one_of_the_file_are_not_public(bench: Bench) -> None:
    make_public(bench, "acme-logs")
    make_public(bench, "closed")
    closed = {**OPEN, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    bench.client("s3").put_public_access_block(Bucket="closed", PublicAccessBlockConfiguration=closed)
    plan = bench.diff(f"{BLOCK}log_buckets: {{logs: {{name: acme-logs}}}}\n")
    [change] = [change for _, change in plan.changes if change.resource == BLOCK_TITLE]
    assert change.consent is None


def test_a_public_bucket_in_another_region_is_found(bench: Bench) -> None:
    make_public(bench, "site-eu", "eu-west-1")
    [(_, change)] = bench.diff(BLOCK).changes
    assert change.loses == "public access to site-eu"


def test_flags_that_the_file_leaves_out_stay_as_they_are(bench: Bench) -> None:
    flags = {**OPEN, "BlockPublicPolicy": True}
    put = bench.client("s3control").put_public_access_block
    put(AccountId=ACCOUNT, PublicAccessBlockConfiguration=flags)
    bench.apply("account: {s3_public_access_block: {ignore_public_acls: true}}\n")
    found = bench.client("s3control").get_public_access_block(AccountId=ACCOUNT)
    assert found["PublicAccessBlockConfiguration"] == {**flags, "IgnorePublicAcls": True}


def test_a_block_that_a_policy_of_the_organization_sets_is_told(bench: Bench) -> None:
    make_public(bench, "site")
    bench.world.memory["effective_policies"] = {ACCOUNT: {"S3_POLICY": "{}"}}
    plan = bench.apply("account: {s3_public_access_block: {ignore_public_acls: true}}\n")
    assert (plan.changes, notes(plan, Kind.WARNING)) == ([], [])
    plan = bench.diff("account: {s3_public_access_block: {ignore_public_acls: true}}\n")
    assert notes(plan, Kind.OWNED) == [
        "IgnorePublicAcls is False; the baseline asks for True, and the organization's S3_POLICY sets it"
    ]


SETTINGS = """
account:
  ebs_encryption_by_default: true
  snapshot_block_public_access: block-all-sharing
  image_block_public_access: block-new-sharing
  serial_console_access_enabled: false
  vpc_block_public_access: block-ingress
  instance_metadata_defaults:
    http_tokens: required
    http_put_response_hop_limit: 2
    http_endpoint: enabled
    instance_metadata_tags: disabled
    http_tokens_enforced: enabled
  ssm_document_public_sharing: Disable
  ssm_automation_log_destination: CloudWatch
  ssm_automation_log_group_name: automations
  ebs_default_kms_key_id: alias/aws/ebs
"""


def test_every_setting_of_a_region_is_set_and_repaired(bench: Bench) -> None:
    """Those that the full file leaves out are held to the same as the laws hold the others to."""
    bench.apply(SETTINGS)
    assert bench.diff(SETTINGS).changes == []
    admin = [Administrator(ACCOUNT, "us-east-1")]
    count = len([*every_break(admin, "account_region")])
    assert count >= 12
    for place in range(count):
        [*found] = every_break(admin, "account_region")
        one = found[place][2]
        assert carry_out(one), one.sentence
        shown = [(c.resource, d.field) for _, c in bench.diff(SETTINGS).changes for d in c.differences]
        assert shown == ([] if one.stricter else [(one.resource, one.field)]), one.sentence
        exact = SETTINGS.replace("account:\n", "account:\n  exact: true\n")
        bench.apply(exact, allow=("loosen-account-settings",))
        assert bench.diff(exact).changes == []


OWNED = {
    "serial_console_access_enabled: false": ("console", True),
    "snapshot_block_public_access: block-new-sharing": ("snapshots", "unblocked"),
    "image_block_public_access: block-new-sharing": ("images", "unblocked"),
    "vpc_block_public_access: block-ingress": ("vpcs", "off"),
    "instance_metadata_defaults: {http_tokens: required}": ("metadata", {"HttpTokens": "optional"}),
    "allowed_images_settings: {state: enabled}": ("allowed", "audit-mode"),
}


@pytest.mark.parametrize("line", OWNED)
def test_what_a_declarative_policy_sets_is_told_and_not_written(bench: Bench, line: str) -> None:
    name, value = OWNED[line]
    bench.world.memory["account_region"] = {(ACCOUNT, "us-east-1"): {name: value, "owned": [name]}}
    plan = bench.diff(f"account: {{{line}}}\n")
    assert plan.changes == []
    [note] = notes(plan, Kind.OWNED)
    assert note.endswith("and a declarative policy of the organization sets it")


def test_a_setting_that_cannot_be_read_stops_no_other(bench: Bench) -> None:
    def deny(call: WireCall, phase: str) -> Fault | None:
        denied = call.operation in {"GetEbsEncryptionByDefault", "GetPublicAccessBlock"}
        return Fault("UnauthorizedOperation", 403, "no") if denied else None

    bench.world.interrupt(deny)
    contact = (
        "  alternate_contacts: {security: {name: A, title: B, email_address: a@b.cc, phone_number: '1'}}\n"
    )
    plan = bench.diff(f"{SETTINGS}{contact}  s3_public_access_block: {{{FLAGS}}}\n")
    failed = [each.resource for result in plan.results for each in result.failures]
    assert sorted(failed) == ["EBS encryption by default", BLOCK_TITLE]
    assert {"security contact", "instance metadata defaults"} <= {
        change.resource for _, change in plan.changes
    }


def test_the_block_of_amis_is_waited_for_as_long_as_aws_may_take(bench: Bench) -> None:
    text = "account: {image_block_public_access: block-new-sharing}\n"
    run = bench.run(text)
    sent = run.send(run.rehearse())
    bench.world.memory["account_region"][ACCOUNT, "us-east-1"]["images"] = "unblocked"
    started = bench.clock.now()
    assert len(run.settle(sent)) == 1
    assert bench.clock.now() - started == 600


def key_file(key: str) -> str:
    return f'account: {{ebs_encryption_by_default: true, ebs_default_kms_key_id: "{key}"}}\n'


def test_the_default_key_is_the_one_that_the_file_names(bench: Bench) -> None:
    kms, ec2 = bench.client("kms"), bench.client("ec2")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/ebs", TargetKeyId=key["KeyId"])
    bench.apply(key_file("alias/ebs"))
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key["Arn"]
    for name in ("alias/ebs", key["Arn"], key["KeyId"]):
        assert bench.diff(key_file(name)).changes == []
    bench.apply(key_file("alias/aws/ebs"))
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"].endswith("alias/aws/ebs")
    assert bench.diff(key_file("alias/aws/ebs")).changes == []


def test_a_key_that_is_disabled_or_missing_is_not_made_the_default(bench: Bench) -> None:
    kms = bench.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    for name, text in ((key, "is Disabled"), ("alias/none", "does not exist in us-east-1")):
        [failed] = bench.diff(key_file(name)).failed
        assert failed.failure is not None
        assert text in failed.failure.message
        assert [change.resource for change in failed.changes] == ["EBS encryption by default"]


CONTACTS = """
account:
  alternate_contacts:
    security: {name: Ada, title: CISO, email_address: ada@example.com, phone_number: "+1 555 0100"}
    billing: {name: Bob, title: CFO, email_address: bob@example.com, phone_number: "+1 555 0101"}
"""


def test_contacts_are_made_and_repaired_and_others_stay(bench: Bench) -> None:
    account = bench.client("account")
    other = {"Name": "O", "Title": "O", "EmailAddress": "o@example.com", "PhoneNumber": "1"}
    account.put_alternate_contact(AlternateContactType="OPERATIONS", **other)
    account.put_alternate_contact(AlternateContactType="BILLING", **other)
    changes = [(c.resource, c.action, len(c.differences)) for _, c in bench.apply(CONTACTS).changes]
    assert changes == [("security contact", "create", 4), ("billing contact", "update", 4)]
    found = account.get_alternate_contact(AlternateContactType="OPERATIONS")["AlternateContact"]
    assert found["Name"] == "O"
    assert bench.diff(CONTACTS).changes == []


def test_a_role_for_support_is_for_those_that_the_file_names(bench: Bench) -> None:
    who = f"arn:aws:iam::{ACCOUNT}:root"
    bench.apply(f"account: {{support_role: {{role_name: help, principals: ['{who}']}}}}\n")
    role = bench.client("iam").get_role(RoleName="help")["Role"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": who}


def test_root_access_is_refused_to_a_member_with_a_remedy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    [failed] = bench.diff("account: {root_access: {root_sessions: true}}\n").failed
    assert failed.failure is not None
    assert f"run this in account {ACCOUNT}" in failed.failure.message


def test_what_was_public_before_the_block_fails_verification(bench: Bench) -> None:
    text = "account: {image_block_public_access: block-new-sharing, snapshot_block_public_access: block-new-sharing}\n"
    bench.apply(text)
    kept = bench.world.memory["account_region"][ACCOUNT, "us-east-1"]
    kept["public_images"] = [f"ami-{each}" for each in range(7)]
    found = [(f.resource, f.ok, f.detail) for r in bench.run(text).verify() for f in r.findings]
    many = "shared with everybody: ami-0, ami-1, ami-2, ami-3, ami-4 and 2 more"
    assert found == [
        ("block public access of AMIs", False, many),
        ("block public access of EBS snapshots", True, "none"),
    ]


def test_enforced_tokens_that_are_optional_are_a_mistake(bench: Bench) -> None:
    text = "account: {instance_metadata_defaults: {http_tokens: optional, http_tokens_enforced: enabled}}\n"
    with pytest.raises(BaselineError, match="no instance could be launched"):
        bench.baseline(text)


def test_the_root_user_is_looked_at(bench: Bench) -> None:
    text = "account: {root_user: {account_mfa_enabled: true, account_access_keys_present: false}}\n"
    assert bench.diff(text).changes == []

    def found() -> list[bool | None]:
        return [f.ok for r in bench.run(text).verify() for f in r.findings]

    assert found() == [True, True]
    root = {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1}
    bench.world.memory["root_user"] = {ACCOUNT: root}
    assert found() == [False, False]
    root["AccountPasswordPresent"] = (
        0  # as AWS leaves the root user of a member whose credentials were deleted
    )
    assert found() == [True, False]


@pytest.mark.parametrize(("region", "valid"), [("eu-west-1", False), ("${region}", True)])
def test_the_key_of_volumes_is_in_the_region_of_the_volumes(
    bench: Bench, region: str, *, valid: bool
) -> None:
    key = f"arn:aws:kms:{region}:123456789012:key/11111111-2222-3333-4444-555555555555"
    text = f'regions: [us-east-1, eu-west-1]\naccount: {{ebs_default_kms_key_id: "{key}"}}\n'
    if valid:
        bench.baseline(text)
        return
    with pytest.raises(BaselineError, match="EBS takes keys of its own Region only, such as us-east-1"):
        bench.baseline(text)


OWNER = """
organization_name: acme
home_region: us-east-1
account:
  contact_information:
    full_name: Acme
    address_line1: 1 Main Street
    city: Berlin
    state_or_region: Berlin
    postal_code: "10115"
    country_code: DE
    phone_number: "+49 30 0100"
"""


def test_the_primary_contact_is_replaced_and_what_the_file_leaves_out_stays(bench: Bench) -> None:
    [(_, change)] = bench.diff(OWNER).changes
    assert (change.resource, change.action, len(change.differences)) == ("primary contact", "update", 6)
    bench.apply(OWNER)
    found = bench.client("account").get_contact_information()["ContactInformation"]
    assert (found["FullName"], found["WebsiteUrl"]) == ("Acme", "https://example.com")
    assert bench.apply(OWNER).changes == []
    admin = [Administrator(ACCOUNT, "us-east-1")]
    found_breaks = [
        one for *_, one in every_break(admin, "account_settings") if one.resource == "primary contact"
    ]
    assert len(found_breaks) == 2
    for one in found_breaks:
        assert carry_out(one)
        shown = [(c.resource, d.field) for _, c in bench.diff(OWNER).changes for d in c.differences]
        assert shown == [(one.resource, one.field)]
        assert bench.diff("account: {serial_console_access_enabled: false}\n").changes == []
        bench.apply(OWNER)
        assert bench.diff(OWNER).changes == []


def test_the_permissions_for_the_primary_contact_are_enough_and_each_needed(bench: Bench) -> None:
    caller, whole = Caller(bench.world), least(OWNER, "apply")
    assert_well_formed(whole)
    ours = [each for each in actions(whole) if each.startswith("account:")]
    assert ours == ["account:GetContactInformation", "account:PutContactInformation"]
    empty = store.capture(bench.world.memory)
    with caller.held_to(whole):
        bench.apply(OWNER)
    assert caller.denied == []
    for action in ours:
        bench.at(empty)
        with caller.held_to(without(whole, action)):
            run = bench.run(OWNER)
            assert any(r.failures for r in run.send(run.rehearse())), action


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    state_or_region: Berlin\n", "", "AWS wants it in DE"),
        ('"+49 30 0100"', '"030 0100"', "digits"),
        ("country_code: DE", "country_code: Germany", "two letters"),
    ],
)
def test_mistakes_in_the_primary_contact(bench: Bench, old: str, new: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(OWNER.replace(old, new))


def test_what_a_block_of_vpcs_cuts_off_is_told_when_it_begins(bench: Bench) -> None:
    text = "account: {vpc_block_public_access: block-ingress}\n"
    [(_, note)] = bench.apply(text).notes(Kind.WARNING)
    assert "cuts off at once what is public" in note.text
    assert [*bench.diff(text).notes(Kind.WARNING)] == []
