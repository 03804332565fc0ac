"""Tests of what others write among the sources of our statements: it must neither stop the repair nor stay."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from provisioner.compare.policy import listed

from ..conftest import Bench
from ..laws.full import FULL, applied, failures

# No ARNs, ARNs that are cut off, of a Region that there is not, and patterns for everything.
SOURCES = (
    *("*", "x", "arn:aws:cloudtrail", "arn:aws:cloudtrail:us-east-1:123456789012"),
    *("arn:aws:cloudtrail:nowhere-1:123456789012:trail/x", "arn:aws:cloudtrail:*:123456789012:trail/*"),
    *("arn:*:*:*:*:*", "arn:aws:s3:::*", "arn:aws:events:*:123456789012:rule/*"),
)
Document = dict[str, Any]


def documents(bench: Bench) -> Iterator[tuple[str, Document, Callable[[str], Any]]]:
    """Every policy of a bucket, key, topic or role: its resource, the policy, and how to write it."""
    s3, kms, sns, iam = (bench.client(each) for each in ("s3", "kms", "sns", "iam"))
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        document = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        yield (
            f"bucket {bucket}",
            json.loads(document),
            lambda text, name=bucket: s3.put_bucket_policy(Bucket=name, Policy=text),
        )
    for alias in kms.list_aliases()["Aliases"]:
        key = alias.get("TargetKeyId")
        if key and not alias["AliasName"].startswith("alias/aws/"):
            document = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
            yield (
                f"key {alias['AliasName']}",
                json.loads(document),
                lambda text, key=key: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text),
            )
    for topic in (each["TopicArn"] for each in sns.list_topics()["Topics"]):
        document = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        yield (
            f"topic {topic.rpartition(':')[2]}",
            json.loads(document),
            lambda text, arn=topic: sns.set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=text
            ),
        )
    for role in iam.list_roles()["Roles"]:
        yield (
            f"role {role['RoleName']}",
            role["AssumeRolePolicyDocument"],
            lambda text, name=role["RoleName"]: iam.update_assume_role_policy(
                RoleName=name, PolicyDocument=text
            ),
        )


def conditions(document: Document) -> Iterator[tuple[dict[str, Any], str]]:
    """The conditions of the document that name a source, each with its key."""
    for statement in document["Statement"]:
        for condition in statement.get("Condition", {}).values():
            for key in condition:
                if key.lower().endswith(("sourcearn", "context:aws:logs:arn")):
                    yield condition, key


def test_no_source_of_others_stops_the_repair_or_stays(request: pytest.FixtureRequest) -> None:
    state = applied()
    bench: Bench = request.getfixturevalue("bench")
    bench.at(state)
    changed = set()
    for resource, document, write in documents(bench):
        for condition, key in conditions(document):
            condition[key] = [*listed(condition[key]), *SOURCES]
            changed.add(resource)
        if resource in changed:
            write(json.dumps(document))
    assert {each.split()[0] for each in changed} == {"bucket", "key", "topic", "role"}
    run = bench.run(FULL)
    assert failures(run.send(run.rehearse())) == []
    left = [
        (resource, source)
        for resource, document, _ in documents(bench)
        for condition, key in conditions(document)
        for source in listed(condition[key])
        if source in SOURCES
    ]
    assert left == []
