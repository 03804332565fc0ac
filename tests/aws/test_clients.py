"""Tests of what the clients of many Regions share, which is most of the memory of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.client import ClientCreator
from botocore.loaders import create_loader

from provisioner.aws import describe
from provisioner.aws.cloud import Cloud
from provisioner.aws.errors import ClientError
from provisioner.aws.model_files import model_loader
from provisioner.model import Target
from provisioner.sandbox import Fault

from .. import conftest
from ..conftest import Bench


def test_clients_of_all_regions_share_their_methods(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClientCreator, "_create_client_class", conftest._create_class)
    cloud = Cloud(workers=1)
    bench.clouds.append(cloud)
    for service, operation in (("logs", "describe_log_groups"), ("s3", "list_buckets")):
        one, other = (cloud.client(service, region) for region in ("us-east-1", "eu-west-1"))
        assert getattr(type(one), operation) is getattr(type(other), operation)
        assert [each.meta.region_name for each in (one, other)] == ["us-east-1", "eu-west-1"]
        cloud.read(Target("123456789012", "eu-west-1"), service, "eu-west-1", operation, {})
    assert [call.region for call in bench.world.calls][-2:] == ["eu-west-1"] * 2
    assert not hasattr(cloud.client("iam", "us-east-1"), "describe_log_groups")


def without_texts(value: object) -> object:
    """The value without what documents it."""
    if isinstance(value, dict):
        return {
            key: "" if key == "documentation" and isinstance(each, str) else without_texts(each)
            for key, each in value.items()
        }
    return [without_texts(each) for each in value] if isinstance(value, list) else value


new_loader = model_loader.__wrapped__  # a client of S3 changes the model that it is made of


@pytest.mark.parametrize("service", ["s3", "iam"])
def test_models_are_botocores_without_documentation(service: str) -> None:
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        ours, theirs = (
            each.load_service_model(service, kind) for each in (new_loader(None), create_loader())
        )
        assert ours == without_texts(theirs)
    shapes = model_loader(None).load_service_model(service, "service-2")["shapes"]
    assert not any(each.get("documentation") for each in shapes.values())


def test_models_in_the_users_folders_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "iam" / "2010-05-08"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({"metadata": {"serviceId": "theirs"}}))
    loader = model_loader(f"{tmp_path}")
    assert loader.load_service_model("iam", "service-2")["metadata"] == {"serviceId": "theirs"}
    assert loader.load_service_model("sns", "service-2")["metadata"]["serviceId"] == "SNS"


def test_an_error_without_a_reason_is_not_its_own_cause(bench: Bench) -> None:
    """HEAD and GET are both refused with a bare number."""
    bench.world.interrupt(
        lambda call, phase: Fault("403", 403, "Forbidden") if call.service == "s3" else None
    )
    cloud = Cloud(clock=bench.clock, workers=1)
    bench.clouds.append(cloud)
    here, bucket = (
        Target("123456789012", "us-east-1"),
        {"Bucket": "acme", "ExpectedBucketOwner": "123456789012"},
    )
    with pytest.raises(ClientError) as caught:
        cloud.read(here, "s3", "us-east-1", "head_bucket", bucket)
    assert caught.value.__cause__ is None
    assert describe("reading", caught.value).code == "403"
