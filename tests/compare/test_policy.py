"""Tests of policy documents: normal form, merging, and the check of a user's statements."""

from __future__ import annotations

import contextlib
import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provisioner.compare import policy
from provisioner.compare.policy import PolicyError, merge, normal, orphans, same
from provisioner.compare.policy_check import check

PURE = settings(max_examples=100)

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET = "arn:aws-cn:s3:::logs"
TRAIL = f"arn:aws-cn:cloudtrail:cn-north-1:{ACCOUNT}:trail/main"


def doc(*statements: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **top}


def allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "r", **elements}


def when(operator: str, **keys: Any) -> dict[str, Any]:
    return allow(Condition={operator: {key.replace("__", ":"): value for key, value in keys.items()}})


# --- the normal form ---

EQUAL = {
    "no version": ({"Statement": [allow()]}, doc(allow(), Version="2008-10-17")),
    "null version": ({"Version": None, "Statement": [allow()]}, {"Statement": [allow()]}),
    "one statement": ({"Version": "2012-10-17", "Statement": allow()}, doc(allow())),
    "order of statements": (doc(allow(Sid="a"), allow(Sid="b")), doc(allow(Sid="b"), allow(Sid="a"))),
    "a statement twice": (doc(allow(), allow()), doc(allow())),
    "no statements": (None, doc()),
    "id": (doc(allow(), Id="x"), doc(allow())),
    "text": (json.dumps(doc(allow()), indent=3), doc(allow())),
    "action as list": (doc(allow(Action=["s3:GetObject"])), doc(allow())),
    "action case": (doc(allow(Action="S3:getobject")), doc(allow())),
    "action twice in two cases": (doc(allow(Action=["s3:GetObject", "s3:getObject"])), doc(allow())),
    "order after case": (doc(allow(Action=["s3:Z", "s3:a"])), doc(allow(Action=["S3:A", "s3:z"]))),
    "resource order": (doc(allow(Resource=["b", "a", "b"])), doc(allow(Resource=["a", "b"]))),
    "effect case": (doc(allow(Effect="allow")), doc(allow())),
    "everybody": (doc(allow(Principal={"AWS": "*"})), doc(allow())),
    "everybody as list": (doc(allow(Principal={"AWS": ["*"]})), doc(allow())),
    "account": (doc(allow(Principal={"AWS": ACCOUNT})), doc(allow(Principal={"AWS": [ROOT]}))),
    "account twice": (doc(allow(Principal={"AWS": [ROOT, ACCOUNT]})), doc(allow(Principal={"AWS": ROOT}))),
    "account as number": (doc(allow(Principal={"AWS": int(ACCOUNT)})), doc(allow(Principal={"AWS": ROOT}))),
    "not principal": (doc(allow(NotPrincipal={"AWS": ACCOUNT})), doc(allow(NotPrincipal={"AWS": ROOT}))),
    "empty kind": (doc(allow(Principal={"AWS": "*", "Service": []})), doc(allow())),
    "boolean": (doc(when("Bool", aws__x=False)), doc(when("Bool", aws__x="false"))),
    "number": (doc(when("NumericLessThan", aws__x=90)), doc(when("NumericLessThan", aws__x=["90"]))),
    "key case": (doc(when("StringEquals", AWS__X="v")), doc(when("StringEquals", aws__x="v"))),
    "two cases of a key": (
        doc(when("StringEquals", AWS__X="v", aws__x=["w"])),
        doc(when("StringEquals", aws__x=["w", "v"])),
    ),
    "empty condition": (doc(allow(Condition={"Bool": {}})), doc(allow())),
    "empty values": (doc(when("Bool", aws__x=[])), doc(allow(Condition={}))),
    "empty list": (doc(allow(NotAction=[])), doc(allow())),
    "empty sid": (doc(allow(Sid="")), doc(allow())),
}

DIFFERENT = {
    "version": (doc(allow()), {"Statement": [allow()]}),
    "sid": (doc(allow(Sid="a")), doc(allow(Sid="A"))),
    "resource case": (doc(allow(Resource="R")), doc(allow())),
    "value case": (doc(when("StringEquals", aws__x="V")), doc(when("StringEquals", aws__x="v"))),
    "operator": (doc(when("StringEquals", aws__x="v")), doc(when("StringLike", aws__x="v"))),
    "operator case": (doc(when("stringEquals", aws__x="v")), doc(when("StringEquals", aws__x="v"))),
    "partition": (
        doc(allow(Principal={"AWS": ACCOUNT})),
        doc(allow(Principal={"AWS": ROOT.replace("aws", "aws-cn")})),
    ),
    "kind of principal": (doc(allow(Principal={"Service": "*"})), doc(allow())),
    "user, not root": (
        doc(allow(Principal={"AWS": ROOT})),
        doc(allow(Principal={"AWS": ROOT[:-4] + "user/root"})),
    ),
    "account of another kind": (
        doc(allow(Principal={"Federated": ACCOUNT})),
        doc(allow(Principal={"Federated": ROOT})),
    ),
    "not": (doc(allow(NotAction="s3:GetObject", Action=[])), doc(allow())),
    "fewer": (doc(allow(Sid="a"), allow(Sid="b")), doc(allow(Sid="a"))),
    "nothing": (doc(allow()), None),
    "unknown element": (doc(allow(Colour="red")), doc(allow(Colour="blue"))),
}


@pytest.mark.parametrize(("a", "b"), EQUAL.values(), ids=EQUAL)
def test_equal(a: Any, b: Any) -> None:
    assert same(a, b, partition="aws")
    assert hash(normal(a, partition="aws")) == hash(normal(b, partition="aws"))


@pytest.mark.parametrize(("a", "b"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(a: Any, b: Any) -> None:
    assert not same(a, b, partition="aws")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Version":\n  "2012-10-17",,}', "policy:2:16: want JSON"),
        ("", "policy:1:1: want JSON"),
        ("[]", "want a JSON object, got a list"),
        ('{"Statement": "x"}', "`Statement`: want a list of objects, got `x`"),
        ('{"Statement": [{}, 3]}', "statement 2: want an object, got `3`"),
        ('{"Statement": [], "Statement": []}', "got `Statement` twice"),
        ('{"Statement": {"Condition": {"Bool": true}}}', "condition `Bool`: want an object, got `True`"),
    ],
)
def test_invalid_document(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        normal(text, partition="aws")
    assert message in str(caught.value)


def test_partition_of_an_account_id() -> None:
    there = doc(allow(Principal={"AWS": f"arn:aws-us-gov:iam::{ACCOUNT}:root"}))
    assert same(doc(allow(Principal={"AWS": ACCOUNT})), there, partition="aws-us-gov")


def test_orphans() -> None:
    deleted = ["AROAEXAMPLE0000000001", "AIDAEXAMPLE0000000002"]
    have = doc(
        allow(Principal={"AWS": [deleted[0], ROOT, f"arn:aws:iam::{ACCOUNT}:role/AROA"]}),
        allow(NotPrincipal={"AWS": deleted}, Condition={"StringLike": {"aws:userId": "AROAOTHER:*"}}),
        allow(Principal="*"),
        allow(Principal={"Service": "AIDAX"}),
    )
    assert orphans(have) == deleted
    assert orphans(None) == []


# --- properties: equal if AWS may have rewritten it, different otherwise ---

ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Put*", "kms:Decrypt", "*"]
RESOURCES = [BUCKET, f"{BUCKET}/*", f"{BUCKET}/Ab", "*"]
VARIABLES = f"{BUCKET}/${{aws:username}}"
NAMES = ["*", ACCOUNT, "444455556666", f"arn:aws-cn:iam::{ACCOUNT}:role/Reader", "AROAEXAMPLE1"]
KEYS = ["aws:SourceArn", "aws:SecureTransport", "s3:x-amz-acl", "aws:PrincipalTag/Team"]
VALUES = ["true", "false", "90", "x", "X", TRAIL]


def subset(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)


def statement(sids: list[str | None], resources: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda sid, effect, principal, action, resource, condition: {
            **({"Sid": sid} if sid else {}),
            "Effect": effect,
            "Principal": principal,
            "Action": action,
            "Resource": resource,
            **({"Condition": condition} if condition else {}),
        },
        st.sampled_from(sids),
        st.sampled_from(["Allow", "Deny"]),
        st.builds(lambda names: {"AWS": names}, subset(NAMES)) | st.just({"Service": ["x.amazonaws.com"]}),
        subset(ACTIONS),
        subset(resources),
        st.dictionaries(
            st.sampled_from(["StringEquals", "StringLike", "Bool"]),
            st.dictionaries(st.sampled_from(KEYS), subset(VALUES), min_size=1, max_size=2),
            max_size=2,
        ),
    )


STATEMENTS = statement([None, "One", "Two", "Three", "Four"], [*RESOURCES, VARIABLES])
DOCUMENTS = st.builds(
    lambda version, statements: {"Version": version, "Statement": statements},
    st.sampled_from(["2012-10-17", "2008-10-17"]),
    st.lists(STATEMENTS, min_size=1, max_size=4, unique_by=lambda s: s.get("Sid")),
)
RANDOM = st.randoms(use_true_random=False)


def cased(text: str, rnd: Random) -> str:
    return "".join(rnd.choice([c.lower(), c.upper()]) for c in text)


def rewritten(values: list[Any], rnd: Random) -> Any:
    """The same set as AWS may return it: in any order, with duplicates, one value without a list."""
    if len(values) == 1 and rnd.random() < 0.5:
        return values[0]
    values = values + rnd.choices(values, k=rnd.randrange(2))
    rnd.shuffle(values)
    return values


def native(text: str, rnd: Random) -> Any:
    return json.loads(text) if text in ("true", "false", "90") and rnd.random() < 0.5 else text


def as_aws_returns(document: dict[str, Any], rnd: Random) -> Any:
    """The same policy in another form."""
    found = []
    for statement in document["Statement"]:
        new = dict(statement)
        new["Effect"] = cased(statement["Effect"], rnd)
        new["Action"] = rewritten([cased(a, rnd) for a in statement["Action"]], rnd)
        for element in {"Resource", "NotResource"} & set(statement):
            new[element] = rewritten(statement[element], rnd)
        new["Principal"] = principal_as_aws_returns(statement["Principal"], rnd)
        condition: dict[str, dict[str, Any]] = {}
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                inner = condition.setdefault(operator, {})
                cut = rnd.randrange(len(values))  # in two keys of different case, or in one
                for spelling, part in ((key.upper(), values[:cut]), (key.lower(), values[cut:])):
                    if part or rnd.random() < 0.2:
                        inner[spelling] = rewritten([native(v, rnd) for v in part], rnd) if part else []
        if condition or rnd.random() < 0.3:
            new["Condition"] = condition
        if rnd.random() < 0.3:
            new["NotAction"] = []
        items = list(new.items())
        rnd.shuffle(items)
        found.append(dict(items))
    rnd.shuffle(found)
    result: dict[str, Any] = {"Statement": found[0] if len(found) == 1 and rnd.random() < 0.5 else found}
    if document["Version"] != "2008-10-17" or rnd.random() < 0.5:
        result["Version"] = document["Version"]
    return json.dumps(result, indent=rnd.choice([None, 2])) if rnd.random() < 0.3 else result


def principal_as_aws_returns(principal: dict[str, list[str]], rnd: Random) -> Any:
    if principal.get("AWS") == ["*"] and rnd.random() < 0.5:
        return "*"
    roots = {ACCOUNT: f"arn:aws-cn:iam::{ACCOUNT}:root"}
    return {
        kind: rewritten([roots.get(name, name) if rnd.random() < 0.5 else name for name in names], rnd)
        for kind, names in principal.items()
    }


def changed(document: dict[str, Any], rnd: Random) -> dict[str, Any]:
    """The policy with one change of its meaning."""
    new = copy.deepcopy(document)
    statement = rnd.choice(new["Statement"])
    kind = rnd.randrange(9)
    if kind == 0:
        statement["Effect"] = {"Allow": "Deny", "Deny": "Allow"}[statement["Effect"]]
    elif kind == 1:
        statement["Action"].append("s3:Other")
    elif kind == 2:
        statement["Resource"][0] = statement["Resource"][0] + "Z"
    elif kind == 3:
        statement["Principal"].setdefault("AWS", []).append("777788889999")
    elif kind == 4:
        statement["Sid"] = "Other"
    elif kind == 5:
        new["Statement"].remove(statement)
    elif kind == 6:
        statement.setdefault("Condition", {}).setdefault("Null", {})["aws:x"] = ["true"]
    elif kind == 7:
        statement["NotResource"] = statement.pop("Resource")
    else:
        new["Version"] = "2008-10-17" if new["Version"] == "2012-10-17" else "2012-10-17"
    return new


@PURE
@given(DOCUMENTS, RANDOM)
def test_a_rewritten_document_is_equal(document: dict[str, Any], rnd: Random) -> None:
    have = as_aws_returns(document, rnd)
    assert same(have, document, partition="aws-cn")
    assert hash(normal(have, partition="aws-cn")) == hash(normal(document, partition="aws-cn"))


@PURE
@given(DOCUMENTS, RANDOM)
def test_a_changed_document_is_different(document: dict[str, Any], rnd: Random) -> None:
    other = changed(document, rnd)
    assert not same(as_aws_returns(other, rnd) if other["Statement"] else None, document, partition="aws-cn")


# --- merging ---

OWNED = ["One", "Two"]
OWN = st.lists(statement([*OWNED], [*RESOURCES, VARIABLES]), max_size=2, unique_by=lambda s: s["Sid"])
CROWDED = st.builds(  # Sids twice, and statements without one
    lambda version, statements: {**version, "Id": "kept", "Statement": statements},
    st.sampled_from([{}, {"Version": "2008-10-17"}, {"Version": "2012-10-17"}]),
    st.lists(STATEMENTS, max_size=5),
)


def put(have: Any, own: list[dict[str, Any]], owned: list[str] = OWNED) -> policy.Merged:
    return merge(have, own, owned=owned, partition="aws-cn")


@PURE
@given(st.one_of(st.none(), CROWDED), OWN, RANDOM)
def test_merge_keeps_foreign_statements_and_is_idempotent(
    have: Any, own: list[dict[str, Any]], rnd: Random
) -> None:
    before = copy.deepcopy(have)
    foreign = [s for s in (have or {}).get("Statement", []) if s.get("Sid") not in OWNED]
    try:
        merged = put(have, own)
    except PolicyError:
        assert "${" in json.dumps(foreign)
        assert "${" in json.dumps(own)
        assert (have or {}).get("Version") != "2012-10-17"
        return
    assert have == before
    assert merged.foreign == foreign
    assert merged.document["Statement"] == own + foreign
    assert [json.dumps(s) for s in merged.document["Statement"][len(own) :]] == [
        json.dumps(s) for s in foreign
    ]
    if "${" in json.dumps(foreign):
        assert merged.document["Version"] == (have or {}).get("Version", "2008-10-17")
    if "${" in json.dumps(own):
        assert merged.document["Version"] == "2012-10-17"
    if not merged.changed:
        assert same(have, merged.document, partition="aws-cn")
    again = put(merged.document, own)
    assert not again.changed
    assert again.differences == []
    if merged.document["Statement"]:
        assert again.document == merged.document
        assert not put(as_aws_returns(merged.document, rnd), own).changed


@PURE
@given(
    st.lists(statement([None, "Three", "Four"], RESOURCES), max_size=3),
    st.lists(statement([*OWNED], RESOURCES), min_size=1, max_size=2, unique_by=lambda s: s["Sid"]),
    RANDOM,
)
def test_a_changed_statement_of_ours_is_found(foreign: Any, own: list[Any], rnd: Random) -> None:
    # `changed` may rename a statement to "Other": it is then foreign, and ours is missing.
    touched = changed({"Version": "2012-10-17", "Statement": own}, rnd)["Statement"]
    assume(touched != own)
    drifted = doc(*touched, *foreign)
    merged = put(drifted, own)
    assert merged.changed
    assert merged.differences
    assert not same(drifted, merged.document, partition="aws-cn")
    assert not put(merged.document, own).changed


def test_differences_of_each_kind() -> None:
    fine, late, gone = allow(Sid="Fine"), allow(Sid="Late", Action="s3:PutObject"), allow(Sid="Gone")
    twice, other = allow(Sid="Twice"), allow(Sid="Twice", Resource="x")
    drifted, foreign = allow(Sid="Late"), allow(Sid="Theirs")
    missing = allow(Sid="Missing")
    merged = put(
        doc(foreign, other, drifted, fine, gone, twice, allow()),
        [fine, late, twice, missing],
        ["Fine", "Late", "Twice", "Missing", "Gone"],
    )
    assert merged.differences == [
        ("Late", drifted, late),
        ("Twice", other, None),
        ("Missing", None, missing),
        ("Gone", gone, None),
    ]
    assert merged.foreign == [foreign, allow()]
    assert merged.changed


def test_version_of_a_new_policy() -> None:
    for have in (None, {"Version": "2008-10-17", "Statement": []}):
        assert put(have, [allow(Sid="One")]).document["Version"] == "2012-10-17"
    assert not put(None, []).changed


LITERAL = allow(Sid="Theirs", Resource=f"{BUCKET}/${{literal}}")
VARIABLE = allow(Sid="One", Resource=f"{BUCKET}/${{aws:username}}")


def test_version_is_kept_for_foreign_literals() -> None:
    old = {"Statement": [LITERAL]}
    merged = put(old, [allow(Sid="One")])
    assert merged.document["Version"] == "2008-10-17"
    assert not put(merged.document, [allow(Sid="One")]).changed
    with pytest.raises(PolicyError, match=r"`Theirs` holds a literal.*`One` needs 2012-10-17"):
        put(old, [VARIABLE])


def test_a_variable_of_ours_raises_the_version() -> None:
    merged = put({"Version": "2008-10-17", "Statement": [VARIABLE]}, [VARIABLE])
    assert merged.differences == [("One", VARIABLE, VARIABLE)]
    assert merged.document["Version"] == "2012-10-17"


@pytest.mark.parametrize("own", [[allow()], [allow(Sid="Other")], [allow(Sid="One"), allow(Sid="One")]])
def test_our_statements_need_unique_owned_sids(own: list[Any]) -> None:
    with pytest.raises(PolicyError, match="want an owned Sid"):
        put(None, own)


def test_numbers_keep_their_digits() -> None:
    text = '{"Statement":[{"Condition":{"NumericEquals":{"a:b":1.50}}}]}'
    assert put(text, []).foreign == [{"Condition": {"NumericEquals": {"a:b": "1.50"}}}]


def test_size() -> None:
    assert policy.compact({"Sid": "é", "A": [1, 2]}) == '{"Sid":"é","A":[1,2]}'
    assert policy.size({"Sid": "é", "A": [1, 2]}) == len('{"Sid":"é","A":[1,2]}'.encode())


# --- check of a user's statements ---

GOOD = allow(Principal={"AWS": ROOT}, Resource=f"{BUCKET}/*")
HEADER = "s3:x-amz-server-side-encryption"


def deny(condition: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {
        **GOOD,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Condition": condition,
        **elements,
    }


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({**GOOD, "Effect": "allow"}, "want `Effect`, `Allow` or `Deny`, got `allow`"),
        ({**GOOD, "Principal": {"AWS": None}}, "want a name, or a list of several, got none"),
        ({**GOOD, "Principal": {"AWS": []}}, "want a name, or a list of several, got `[]`"),
        ({**GOOD, "Principal": {"CanonicalUser": "me"}}, "want a canonical user id"),
        ({**GOOD, "Principal": {"Federated": "x"}}, "want the ARN of an identity provider"),
        (
            {**GOOD, "Condition": {"StringEquals": {"aws:x": None}}},
            "want text, or a list of several, got none",
        ),
        ({**GOOD, "Condition": {"StringEquals": {"aws:x": [["a"]]}}}, "want text, or a list of several"),
        ({**GOOD, "Condition": {"StringEquals": {"aws:x": []}}}, "want text, or a list of several"),
        ({**GOOD, "Condition": {"NumericEquals": {"aws:x": "nan"}}}, "want a number, got `nan`"),
        ({**GOOD, "Condition": {"NumericEquals": {"aws:x": "1e400"}}}, "want a number, got `1e400`"),
        ({k: v for k, v in GOOD.items() if k != "Effect"}, "`Allow` or `Deny`, got none"),
        (
            {k: v for k, v in GOOD.items() if k != "Principal"},
            "want one of `Principal` or `NotPrincipal`, got neither",
        ),
        ({**GOOD, "Action": []}, "want one of `Action` or `NotAction`, got neither"),
        ({**GOOD, "NotResource": BUCKET}, "want one of `Resource` or `NotResource`, got both"),
        ({**GOOD, "Action": "GetObject"}, "want actions such as `s3:GetObject`, got `GetObject`"),
        ({**GOOD, "Principal": ROOT}, "`Principal`: want `*`, or an object with `AWS`, `Service`"),
        ({**GOOD, "Principal": {"Aws": ROOT}}, "unknown element `Aws`: did you mean `AWS`"),
        ({**GOOD, "Conditions": {}}, "unknown element `Conditions`: did you mean `Condition`"),
        ({**GOOD, "zzz": 1}, "unknown element `zzz`: want `Sid`"),
        ({**GOOD, "Condition": {"Bool": "x"}}, "`Condition`: want an object of operators"),
        ({**GOOD, "Resource": "arn:aws-cn:s3:::logs-2/*"}, f"want resources in this bucket, `{BUCKET}` or"),
        (
            {**GOOD, "Sid": "AnyProvision"},
            "those that end in `Provision` are for statements that provision writes",
        ),
        (
            {**GOOD, "Condition": {"StringEquals": {"s3:prefx": "a"}}},
            "no condition key `s3:prefx`: did you mean `s3:prefix`",
        ),
        ({**GOOD, "Condition": {"StringEquals": {"S3:Fooo": "a"}}}, "no condition key `S3:Fooo`"),
        *(
            ({**GOOD, "Condition": {"StringEquals": {wrong: "1"}}}, f"key `{wrong}`: did you mean `{right}`")
            for wrong, right in (
                ("aws:SourceAcount", "aws:SourceAccount"),
                ("aws:PrincipleOrgID", "aws:PrincipalOrgID"),
                ("aws:PrincipalOrg", "aws:PrincipalOrgID"),
                ("AWS:SourceARNs", "aws:SourceArn"),
                ("aws:PrincipalTags/team", "aws:PrincipalTag/team"),
                ("aws:PrincipalTag", "aws:PrincipalTag/TAG"),
                ("aws:SourceVpcEndpoint", "aws:SourceVpce"),
                ("aws:SourceIp/x", "aws:SourceIp"),
            )
        ),
        ({**GOOD, "Principal": "*"}, "would be refused by BlockPublicPolicy"),
        ({**GOOD, "Principal": {"AWS": [ROOT, "*"]}}, "would be refused by BlockPublicPolicy"),
        (
            deny({"StringNotEquals": {HEADER: "aws:kms"}}),
            "would stop log services, whose writes have no such header",
        ),
        (deny({"Null": {HEADER: True}}, Action="s3:*"), "would stop log services"),
        (
            deny({"StringNotLikeIfExists": {HEADER.upper() + "-aws-kms-key-id": "k"}}),
            "would stop log services",
        ),
        (deny({"Null": {HEADER: "true"}}, NotAction="s3:Get*", Action=[]), "would stop log services"),
    ],
)
def test_check_error(statement: dict[str, Any], message: str) -> None:
    found = check(doc(statement), bucket_arn=BUCKET, reserved="Provision")
    assert len(found) == 1
    assert message in found[0]
    assert found[0].startswith(f"statement `{statement['Sid']}`: " if "Sid" in statement else "statement 1: ")
    assert not found[0].endswith(".")


@pytest.mark.parametrize(
    "condition",
    [
        {"Null": {"aws:PrincipalArn": "false"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:*"}},
        {"StringLike": {"aws:userid": "*"}, "Bool": {"aws:SecureTransport": True}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        {"NumericGreaterThan": {"aws:EpochTime": "1577836800"}},
        {"Bool": {"aws:PrincipalIsAWSService": "false"}},
        {"StringLike": {"aws:RequestedRegion": ["?*", "*"]}},
    ],
)
@pytest.mark.parametrize("action", ["s3:PutBucketPolicy", "s3:*"])
def test_a_deny_that_every_user_meets_is_an_error(condition: dict[str, Any], action: str) -> None:
    """Whatever the condition says: if it holds for every user, nobody can repair the policy."""
    [found] = check(doc(deny(condition, Action=action, Resource=BUCKET)), bucket_arn=BUCKET)
    assert "would deny every user and role" in found
    names_one = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}
    spares = deny({**condition, **names_one}, Action=action, Resource=BUCKET)
    assert check(doc(spares), bucket_arn=BUCKET) == []


@pytest.mark.parametrize(
    "statement",
    [
        GOOD,
        {**GOOD, "Resource": [BUCKET, f"{BUCKET}/${{aws:username}}/*"]},
        {**GOOD, "Condition": {"StringEquals": {"s3:existingobjecttag/a": "b", "S3:X-Amz-ACL": "private"}}},
        {**GOOD, "Principal": "*", "Condition": {"StringEquals": {"aws:principalOrgID": "o-abc"}}},
        {**GOOD, "Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}}},
        deny({"Bool": {"aws:SecureTransport": "false"}}),
        deny({"StringNotEquals": {HEADER: "aws:kms"}, "Null": {HEADER: "false"}}),
        deny({"StringNotEquals": {HEADER: "aws:kms"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
        deny({"StringNotEquals": {HEADER: "aws:kms"}}, Action="s3:GetObject"),
        deny({"StringNotEquals": {HEADER: "aws:kms"}}, Principal={"AWS": ROOT}),
        deny({"StringEquals": {HEADER: "AES256"}}),
        deny({"ForAnyValue:StringNotEquals": {HEADER: "aws:kms"}}),
    ],
)
def test_check_accepts_valid_statements(statement: dict[str, Any]) -> None:
    assert check(doc(statement), bucket_arn=BUCKET, reserved="Provision") == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:SourceVpc": "vpc-*"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"}},
        {"StringEquals": {"aws:UserAgent": "x"}},
        {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    ],
)
def test_check_conditions_that_do_not_narrow(condition: dict[str, Any]) -> None:
    (found,) = check(doc({**GOOD, "Principal": "*", "Condition": condition}), bucket_arn=BUCKET)
    assert "BlockPublicPolicy" in found


def test_check_document() -> None:
    assert check(doc(GOOD, Statment=[]), bucket_arn=BUCKET) == [
        "policy: unknown element `Statment`: did you mean `Statement`"
    ]
    assert check("{", bucket_arn=BUCKET)[0].startswith("policy:1:2: want JSON")
    big = doc({**GOOD, "Resource": [f"{BUCKET}/{i:04}" for i in range(900)]})
    assert check(big, bucket_arn=BUCKET) == [f"policy: want at most 20480 bytes, got {policy.size(big)}"]
    assert "put dates in quotes" in check(doc({**GOOD, "Sid": pytest}))[0]
    twice = check(doc({**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}))
    assert twice == ["statement `A`: want another `Sid`, an earlier statement has `A`"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["*", "Allow", "Deny", "s3:*", BUCKET]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["AWS", "Null", "StringEquals", HEADER]), inner, max_size=2)
    ),
    max_leaves=4,
)
ELEMENTS = st.sampled_from(
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition", "Other"]
)


@PURE
@given(
    st.dictionaries(
        st.sampled_from(["Version", "Statement"]), st.lists(st.dictionaries(ELEMENTS, JUNK)) | JUNK
    )
)
def test_check_any_document(document: dict[str, Any]) -> None:
    assert isinstance(check(document, bucket_arn=BUCKET, reserved="Provision"), list)
    with contextlib.suppress(PolicyError):
        hash(normal(document, partition="aws"))
