"""Tests of the export of discovery results: the bucket's policy, the key, drift, and what a change of it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.services.macie.delivery import macie_delivery

from ...conftest import Bench
from ...permissions.sample import Caller, least
from ..kms_keys.sample import KEYS, key_of, policy_of
from .sample import HEAD, export_file, make_key

BUCKET = "arn:aws:s3:::b"


def destination(bench: Bench, region: str = "us-east-1") -> Any:
    found = bench.client("macie2", region).get_classification_export_configuration()
    return found["configuration"].get("s3Destination")


def test_results_are_stored_in_a_bucket_whose_policy_lets_macie_write(bench: Bench) -> None:
    key = make_key(bench)
    bench.apply(export_file(key))
    assert destination(bench, "eu-west-1") == {
        "bucketName": "acme-macie-results",
        "expectedBucketOwner": "123456789012",
        "keyPrefix": "macie",
        "kmsKeyArn": key,
    }
    before = len(bench.world.writes)
    assert bench.apply(export_file(key)).changes == []
    assert bench.world.writes[before:] == []
    found = {(f.check, f.ok) for r in bench.run(export_file(key)).verify() for f in r.findings}
    assert found >= {("results stored", True), ("KMS key", True)}


def test_a_key_of_the_file_lets_macie_in(bench: Bench) -> None:
    text = f"organization_name: acme\nhome_region: us-east-1\n{export_file('trail')}{KEYS}"
    planned = bench.diff(text)
    done = bench.apply(text)
    assert [(c.resource, c.call.name) for _, c in done.changes] == [
        (c.resource, c.call.name) for _, c in planned.changes
    ]
    assert destination(bench, "eu-west-1")["kmsKeyArn"] == key_of(bench)["Arn"]
    statement = policy_of(bench)["MacieExportProvision"]
    assert statement["Condition"] == macie_delivery(BUCKET, ["123456789012"])[0]["Condition"]
    assert bench.diff(text).changes == []
    assert [f.detail for r in bench.run(text).verify() for f in r.findings if f.ok is False] == []


def test_each_break_of_the_export_is_shown_and_repaired(bench: Bench) -> None:
    text = export_file(make_key(bench))
    bench.apply(text)
    admin = [Administrator("123456789012", "us-east-1")]
    sentences = [
        one.sentence for *_, one in every_break(admin, "macie_export") if "store its results" in one.sentence
    ]
    assert len(sentences) == 2
    for sentence in sentences:
        [one] = [one for *_, one in every_break(admin, "macie_export") if one.sentence == sentence]
        assert carry_out(one)
        assert bench.run(text).verify()[0].findings
        plan = bench.apply(text)
        changed = [(r.target.region, c.call.name) for r, c in plan.changes]
        assert changed == [("us-east-1", "PutClassificationExportConfiguration")]
        assert bench.diff(text).changes == []


def test_results_that_are_not_stored_fail_verification(bench: Bench) -> None:
    text = export_file(make_key(bench))
    bench.apply(text)
    bench.client("macie2").put_classification_export_configuration(configuration={})
    found = {
        (r.target.region, f.detail) for r in bench.run(text).verify() for f in r.findings if f.ok is False
    }
    assert found == {("us-east-1", "for 90 days only")}


def test_results_that_others_took_are_taken_back_with_a_warning(bench: Bench) -> None:
    text = export_file(make_key(bench))
    bench.apply(text)
    bench.world.memory["macie"]["123456789012", "us-east-1"]["destination"]["bucketName"] = "theirs"
    plan = bench.apply(text)
    assert "results so far stay in `theirs`; its readers get nothing new there" in {
        note.text for _, note in plan.notes(Kind.WARNING)
    }
    assert destination(bench)["bucketName"] == "acme-macie-results"


def test_a_prefix_that_the_file_leaves_out_stays(bench: Bench) -> None:
    key = make_key(bench)
    bench.apply(export_file(key))
    assert bench.diff(export_file(key, prefix="")).changes == []
    assert [
        c.differences[0].want for _, c in bench.diff(export_file(key, prefix=", key_prefix: ''")).changes
    ] == [
        None,
        None,
    ]


def test_a_key_that_cannot_be_used_stops_nothing_else(bench: Bench) -> None:
    key = make_key(bench)
    bench.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    run = bench.run(export_file(key))
    sent = run.send(run.rehearse())
    failed = [r.failure.message for r in sent if r.failure]
    assert len(failed) == 2
    assert all(each.startswith("`macie.classification_export.kms_key_arn`: the key ") for each in failed)
    assert bench.client("macie2").get_macie_session()["status"] == "ENABLED"


def test_a_key_that_does_not_let_macie_in_is_waited_for_and_then_named(bench: Bench) -> None:
    run = bench.run(export_file(make_key(bench, allow=False)))
    sent = run.send(run.rehearse())
    failed = [r.failure for r in sent if r.failure]
    assert {each.operation for each in failed} == {"PutClassificationExportConfiguration"}
    assert "Macie isn't allowed to use the KMS key" in failed[0].message
    assert "kms:GenerateDataKey" in failed[0].hint


def test_the_permissions_are_enough(bench: Bench) -> None:
    text, caller = export_file(make_key(bench)), Caller(bench.world)
    with caller.held_to(least(f"organization_name: acme\nhome_region: us-east-1\n{text}", "verify", "apply")):
        bench.apply(text)
        assert all(r.ok for r in bench.run(text).verify())
    assert caller.denied == []


def test_the_key_is_where_the_bucket_is(bench: Bench) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    with pytest.raises(
        BaselineError, match="the key is in eu-west-1; it has to be where the bucket is, in us-east-1"
    ):
        bench.baseline(export_file(key))


def test_the_bucket_has_no_default_retention(bench: Bench) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    text = export_file(key).replace("results'}", "results', object_lock: {mode: GOVERNANCE, days: 1}}")
    with pytest.raises(BaselineError, match="Macie cannot store results in a bucket whose Object Lock"):
        bench.baseline(text)


def test_the_bucket_is_in_the_file(bench: Bench) -> None:
    export = "{bucket_name: none, kms_key_arn: 'arn:aws:kms:us-east-1:123456789012:key/1'}"
    with pytest.raises(BaselineError, match="`log_buckets` has no bucket `none`"):
        bench.baseline(f"{HEAD}macie: {{classification_export: {export}}}\n")


def test_the_statements_name_the_source(bench: Bench) -> None:
    one = macie_delivery(BUCKET, ["123456789012"])
    assert [(each["Action"], each["Resource"]) for each in one] == [
        ("s3:GetBucketLocation", BUCKET),
        ("s3:PutObject", f"{BUCKET}/*"),
    ]
    sources = ["export-configuration:*", "classification-job/*"]
    assert [each["Condition"] for each in one] == 2 * [
        {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": [f"arn:aws:macie2:*:123456789012:{each}" for each in sources]},
        }
    ]
    [many, _] = macie_delivery(BUCKET, ["1", "2"])
    assert many["Condition"]["StringEquals"] == {"aws:SourceAccount": ["1", "2"]}
    [organization, _] = macie_delivery(BUCKET, ["1"], "o-1")
    assert organization["Condition"]["StringEquals"] == {"aws:SourceOrgID": "o-1"}
    assert ":*:export" in json.dumps(organization)
