"""The recorder and its channel: each way they drift, what is adopted, and what is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.model import Finding
from provisioner.recording import (
    EVERYTHING as ALL_TYPES,
)
from provisioner.recording import (
    IAM_TYPES,
    WITHOUT_IAM,
    Types,
    continuous,
    recorded,
    recording_group,
    recording_mode,
    sendable,
)
from provisioner.sandbox import Fault, WireCall
from provisioner.steps.config_health import channel_findings, count_findings, recorder_findings
from provisioner.steps.config_state import Found

from ..conftest import Bench
from .config_sample import BUCKET, EVERYTHING, IAM, SERVICE_ROLE, config_file, fields, notes, recorder_file

ONLY = ("config_recorder",)
S3, EC2, RDS = "AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::RDS::DBInstance"
ALL = recorder_file(EVERYTHING)
REGIONS = ("us-east-1", "eu-west-1")
DAILY = {"recordingFrequency": "DAILY", "recordingModeOverrides": []}

some_types = st.frozensets(st.sampled_from([*sorted(IAM_TYPES), S3, EC2, RDS]))
types = st.builds(Types, some_types, st.booleans())
UNIVERSE = [*IAM_TYPES, S3, EC2, RDS, "AWS::New::Thing"]


class TestTypes:
    @given(types, types)
    def test_they_are_sets(self, a: Types, b: Types) -> None:
        assert all((each in (a | b)) == (each in a or each in b) for each in UNIVERSE)
        assert (a >= b) == all(each in a for each in UNIVERSE if each in b)

    @given(types, st.booleans())
    def test_a_group_says_what_it_records(self, a: Types, by_exclusion: bool) -> None:
        group = recording_group(a, by_exclusion=by_exclusion)
        assert recorded(group) == a
        assert recorded(sendable(group)) == a

    @given(types)
    def test_a_mode_says_what_it_records_continuously(self, a: Types) -> None:
        mode = recording_mode(a, "why")
        assert continuous(mode) == a
        assert continuous(sendable(mode)) == a
        assert len(mode["recordingModeOverrides"]) <= 1

    @pytest.mark.parametrize(
        ("group", "expected"),
        [
            (None, WITHOUT_IAM),
            ({"allSupported": True}, WITHOUT_IAM),
            ({"allSupported": True, "includeGlobalResourceTypes": True}, ALL_TYPES),
            ({"allSupported": False, "resourceTypes": [S3]}, Types(frozenset([S3]))),
            (
                {
                    "exclusionByResourceTypes": {"resourceTypes": IAM},
                    "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                },
                WITHOUT_IAM,
            ),
            # What AWS leaves of an earlier strategy.
            (
                {
                    "allSupported": True,
                    "resourceTypes": [],
                    "exclusionByResourceTypes": {"resourceTypes": []},
                },
                WITHOUT_IAM,
            ),
        ],
    )
    def test_what_aws_answers(self, group: dict[str, Any] | None, expected: Types) -> None:
        assert recorded(group) == expected

    @pytest.mark.parametrize(
        ("these", "text"),
        [
            (ALL_TYPES, "every type"),
            (Types(frozenset([S3, EC2]), but=True), f"every type but {EC2}, {S3}"),
            (Types(frozenset([S3])), S3),
            (Types(), "nothing"),
            (
                Types(frozenset([*IAM, S3, EC2, RDS])),
                "AWS::EC2::Instance, AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role, AWS::IAM::User, 2 more",
            ),
        ],
    )
    def test_in_words(self, these: Types, text: str) -> None:
        assert str(these) == text


def recorder(bench: Bench, region: str = "us-east-1") -> dict[str, Any]:
    (have,) = bench.client("config", region).describe_configuration_recorders()["ConfigurationRecorders"]
    return dict(have)


def put(bench: Bench, region: str = "us-east-1", **changed: Any) -> None:
    """Somebody changes the recorder by hand."""
    have = recorder(bench, region)
    kept = {key: have[key] for key in ("name", "roleARN", "recordingMode")}
    full = {**kept, "recordingGroup": sendable(have["recordingGroup"]), **changed}
    bench.client("config", region).put_configuration_recorder(ConfigurationRecorder=full)


def put_channel(bench: Bench, **changed: Any) -> None:
    """Somebody changes the channel by hand."""
    config = bench.client("config")
    (have,) = config.describe_delivery_channels()["DeliveryChannels"]
    full = {key: value for key, value in {**have, **changed}.items() if value is not None}
    config.put_delivery_channel(DeliveryChannel=full)


def converges(bench: Bench, text: str) -> None:
    """An apply repairs it, and the next finds nothing to do."""
    assert bench.apply(text, only=ONLY).failed == []
    before = len(bench.world.writes)
    assert fields(bench.apply(text, only=ONLY)) == []
    assert bench.world.writes[before:] == []


GROUP = "recordingGroup"
STRATEGY = f"{GROUP}.recordingStrategy.useOnly"


class TestRecorder:
    def test_a_new_account_gets_one_that_records(self, bench: Bench) -> None:
        plan = bench.apply(recorder_file(EVERYTHING, {"recording_frequency": "CONTINUOUS"}), only=ONLY)
        made = [(c.call.operation, c.action) for r, c in plan.changes if r.step == "config_recorder"]
        assert made == [
            ("put_configuration_recorder", "create"),
            ("put_delivery_channel", "create"),
            ("start_configuration_recorder", "update"),
        ]
        have = recorder(bench)
        assert (have["name"], have["roleARN"]) == ("default", SERVICE_ROLE)
        assert have[GROUP]["includeGlobalResourceTypes"] is True
        (status,) = bench.client("config").describe_configuration_recorder_status()[
            "ConfigurationRecordersStatus"
        ]
        assert status["recording"] is True

    def test_what_the_file_leaves_out_is_left_to_aws(self, bench: Bench) -> None:
        bench.apply(config_file(), only=ONLY)
        assert recorder(bench)[GROUP]["includeGlobalResourceTypes"] is False
        put(
            bench,
            recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True},
            recordingMode=DAILY,
        )
        assert fields(bench.diff(config_file(), only=ONLY)) == []

    @pytest.mark.parametrize(
        ("group", "mode", "by_hand", "expected"),
        [
            (
                EVERYTHING,
                None,
                {GROUP: {"allSupported": True, "includeGlobalResourceTypes": False}},
                [(f"{GROUP}.includeGlobalResourceTypes", False, True)],
            ),
            (
                EVERYTHING,
                None,
                {GROUP: {"resourceTypes": [S3]}},
                [
                    (f"{GROUP}.allSupported", False, True),
                    (f"{GROUP}.includeGlobalResourceTypes", False, True),
                    (f"{GROUP}.resourceTypes", [S3], []),
                    (STRATEGY, "INCLUSION_BY_RESOURCE_TYPES", "ALL_SUPPORTED_RESOURCE_TYPES"),
                ],
            ),
            (
                {"resource_types": [S3, EC2]},
                None,
                {GROUP: {"resourceTypes": [S3]}},
                [(f"{GROUP}.resourceTypes", [S3], [EC2, S3])],
            ),
            (
                {"resource_types": [S3, EC2]},
                None,
                {GROUP: {"resourceTypes": [S3, RDS]}},  # what is recorded stays
                [(f"{GROUP}.resourceTypes", [RDS, S3], [EC2, RDS, S3])],
            ),
            (
                {"exclusion_by_resource_types": [S3]},
                None,
                {
                    GROUP: {
                        "exclusionByResourceTypes": {"resourceTypes": [S3, EC2]},
                        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                    }
                },
                [(f"{GROUP}.exclusionByResourceTypes.resourceTypes", [EC2, S3], [S3])],
            ),
            (
                None,
                {"recording_frequency": "CONTINUOUS"},
                {"recordingMode": DAILY},
                [("recordingMode.recordingFrequency", "DAILY", "CONTINUOUS")],
            ),
            (
                None,
                {
                    "recording_frequency": "DAILY",
                    "recording_mode_overrides": [
                        {
                            "resource_types": [EC2, S3],
                            "recording_frequency": "CONTINUOUS",
                            "description": "watch",
                        }
                    ],
                },
                {"recordingMode": DAILY},
                [
                    (
                        "recordingMode.recordingModeOverrides",
                        [],
                        [
                            {
                                "resourceTypes": [EC2, S3],
                                "recordingFrequency": "CONTINUOUS",
                                "description": "watch",
                            }
                        ],
                    )
                ],
            ),
        ],
    )
    def test_each_way_it_drifts(
        self,
        bench: Bench,
        group: dict[str, Any] | None,
        mode: dict[str, Any] | None,
        by_hand: dict[str, Any],
        expected: list[Any],
    ) -> None:
        text = recorder_file(group, mode)
        bench.apply(text, only=ONLY)
        put(bench, **by_hand)
        assert fields(bench.diff(text, only=ONLY)) == expected
        converges(bench, text)

    def test_the_description_of_an_override_is_compared_where_it_is_stated(self, bench: Bench) -> None:
        override = {"resource_types": [S3], "recording_frequency": "DAILY"}

        def text(**more: str) -> str:
            return recorder_file(None, {"recording_mode_overrides": [{**override, **more}]})

        bench.apply(text(description="cheap"), only=ONLY)
        assert fields(bench.diff(text(), only=ONLY)) == []
        ((name, _, _),) = fields(bench.diff(text(description="dear"), only=ONLY))
        assert name == "recordingMode.recordingModeOverrides"
        converges(bench, text(description="dear"))

    def test_another_role_is_drift(self, bench: Bench) -> None:
        own = config_file({"role_name": "recorder"})
        bench.apply(own, only=ONLY)
        role = f"arn:aws:iam::{bench.world.account_id}:role/recorder"
        assert recorder(bench)["roleARN"] == role
        bench.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
        assert fields(bench.diff(config_file(), only=ONLY)) == [("roleARN", role, SERVICE_ROLE)]
        converges(bench, config_file())

    def test_a_stopped_recorder_is_started_and_none_is_ever_stopped(self, bench: Bench) -> None:
        bench.apply(ALL, only=ONLY)
        bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
        put(bench, recordingGroup={"resourceTypes": [S3]})
        before = len(bench.world.writes)
        assert ("recording", False, True) in fields(bench.diff(ALL, only=ONLY))
        converges(bench, ALL)
        assert [call.operation for call in bench.world.writes[before:]] == [
            "PutConfigurationRecorder",
            "StartConfigurationRecorder",
        ]

    def test_the_request_keeps_what_the_file_does_not_state(self, bench: Bench) -> None:
        bench.apply(config_file(), only=ONLY)
        put(bench, recordingMode=DAILY)
        bench.apply(recorder_file(EVERYTHING), only=ONLY)
        assert recorder(bench)["recordingMode"] == DAILY
        sent = next(c for c in reversed(bench.world.writes) if c.operation == "PutConfigurationRecorder")
        assert sorted(sent.params["ConfigurationRecorder"]) == [
            "name",
            "recordingGroup",
            "recordingMode",
            "roleARN",
        ]


class TestStricter:
    @pytest.mark.parametrize(
        ("group", "mode", "by_hand", "text"),
        [
            (
                {"resource_types": [S3]},
                None,
                {GROUP: {"resourceTypes": [S3, EC2]}},
                f"records {EC2}, {S3}; the baseline asks for {S3}",
            ),
            (
                {"resource_types": [S3]},
                None,
                {GROUP: {"allSupported": True, "includeGlobalResourceTypes": True}},
                f"records every type; the baseline asks for {S3}",
            ),
            (
                {"exclusion_by_resource_types": [S3, EC2]},
                None,
                {GROUP: {"allSupported": True, "includeGlobalResourceTypes": True}},
                f"records every type; the baseline asks for every type but {EC2}, {S3}",
            ),
            (
                None,
                {"recording_frequency": "DAILY"},
                {"recordingMode": {"recordingFrequency": "CONTINUOUS"}},
                "records every type at each change; the baseline asks for nothing",
            ),
        ],
    )
    def test_more_is_said_and_left_alone_unless_exact(
        self,
        bench: Bench,
        group: dict[str, Any] | None,
        mode: dict[str, Any] | None,
        by_hand: dict[str, Any],
        text: str,
    ) -> None:
        file = recorder_file(group, mode)
        bench.apply(file, only=ONLY)
        put(bench, **by_hand)
        plan = bench.diff(file, only=ONLY)
        assert fields(plan) == []
        assert notes(plan) == [("STRICTER", f"configuration recorder default: {text}")]
        exact = recorder_file(group, mode, exact=True)
        assert fields(bench.diff(exact, only=ONLY)) != []
        converges(bench, exact)
        assert notes(bench.diff(exact, only=ONLY)) == []

    def test_longer_history(self, bench: Bench) -> None:
        def text(days: int, **more: Any) -> str:
            return config_file({"retention_period_in_days": days, **more})

        plan = bench.apply(text(365), only=ONLY)
        assert [f for f in fields(plan) if f[0] == "RetentionPeriodInDays"] == [
            ("RetentionPeriodInDays", None, 365)
        ]
        bench.client("config").put_retention_configuration(RetentionPeriodInDays=90)
        assert fields(bench.diff(text(365), only=ONLY)) == [("RetentionPeriodInDays", 90, 365)]
        converges(bench, text(365))
        plan = bench.diff(text(180), only=ONLY)
        assert (fields(plan), notes(plan)) == (
            [],
            [("STRICTER", "AWS Config history: is kept for 365 days; the baseline asks for 180")],
        )
        ((_, change),) = bench.diff(text(180, exact=True), only=ONLY).changes
        assert (change.consent, change.loses) == (
            "shorten-config-history",
            "configuration history older than 180 days",
        )

    def test_a_recorder_without_retention_keeps_seven_years(self, bench: Bench) -> None:
        bench.apply(config_file(), only=ONLY)
        plan = bench.diff(config_file({"retention_period_in_days": 365}), only=ONLY)
        assert fields(plan) == []
        assert notes(plan) == [
            ("STRICTER", "AWS Config history: is kept for 2557 days; the baseline asks for 365")
        ]
        assert fields(bench.diff(config_file({"retention_period_in_days": 2557}), only=ONLY)) == []


class TestChannel:
    TEXT = config_file(s3_key_prefix="aws", delivery_frequency="Six_Hours")

    @pytest.mark.parametrize(
        ("by_hand", "expected"),
        [
            ({"s3KeyPrefix": None}, [("s3KeyPrefix", None, "aws")]),
            (
                {"configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"}},
                [("configSnapshotDeliveryProperties.deliveryFrequency", "TwentyFour_Hours", "Six_Hours")],
            ),
            (
                {"configSnapshotDeliveryProperties": None},
                [("configSnapshotDeliveryProperties.deliveryFrequency", None, "Six_Hours")],
            ),
        ],
    )
    def test_each_way_it_drifts(self, bench: Bench, by_hand: dict[str, Any], expected: list[Any]) -> None:
        bench.apply(self.TEXT, only=ONLY)
        open_up(bench, BUCKET)
        put_channel(bench, **by_hand)
        assert [f for f in fields(bench.diff(self.TEXT, only=ONLY)) if "policy" not in f[0]] == expected
        converges(bench, self.TEXT)

    def test_another_bucket_needs_consent(self, bench: Bench) -> None:
        bench.apply(self.TEXT, only=ONLY)
        open_up(bench, "acme-other")
        put_channel(bench, s3BucketName="acme-other")
        (change,) = (c for r, c in bench.diff(self.TEXT, only=ONLY).changes if r.step == "config_recorder")
        assert [(d.field, d.have, d.want) for d in change.differences] == [
            ("s3BucketName", "acme-other", BUCKET)
        ]
        assert change.consent == "replace-config-bucket"
        assert change.loses == "history so far stays in `acme-other`; what reads it there sees no more"
        converges(bench, self.TEXT)

    def test_a_prefix_is_removed_with_a_warning(self, bench: Bench) -> None:
        bench.apply(self.TEXT, only=ONLY)
        plan = bench.diff(config_file(), only=ONLY)
        assert ("s3KeyPrefix", "aws", None) in fields(plan)
        assert [kind for kind, _ in notes(plan)] == ["WARNING"]
        converges(bench, config_file())

    def test_snapshots_more_often_stay_unless_exact(self, bench: Bench) -> None:
        bench.apply(self.TEXT, only=ONLY)
        put_channel(bench, configSnapshotDeliveryProperties={"deliveryFrequency": "One_Hour"})
        plan = bench.diff(self.TEXT, only=ONLY)
        assert fields(plan) == []
        assert notes(plan) == [
            (
                "STRICTER",
                "delivery channel default: deliveryFrequency is One_Hour; the baseline asks for Six_Hours",
            )
        ]
        exact = config_file({"exact": True}, s3_key_prefix="aws", delivery_frequency="Six_Hours")
        assert [want for _, _, want in fields(bench.diff(exact, only=ONLY))] == ["Six_Hours"]

    def test_key_and_topic_are_set_and_those_of_others_stay(self, bench: Bench) -> None:
        key = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
        topic = bench.client("sns").create_topic(Name="config")["TopicArn"]
        stated = config_file(s3_kms_key_arn=key, sns_topic_arn=topic)
        bench.apply(config_file(), only=ONLY)
        assert [name for name, _, _ in fields(bench.diff(stated, only=ONLY))] == [
            "s3KmsKeyArn",
            "snsTopicARN",
        ]
        converges(bench, stated)
        assert fields(bench.diff(config_file(), only=ONLY)) == []
        put_channel(bench, s3KmsKeyArn=None)
        assert fields(bench.diff(stated, only=ONLY)) == [("s3KmsKeyArn", None, key)]

    def test_a_topic_of_another_region_is_refused(self, bench: Bench) -> None:
        topic = f"arn:aws:sns:us-east-1:{bench.world.account_id}:config"
        plan = bench.diff(config_file(regions=REGIONS, sns_topic_arn=topic), only=ONLY)
        (failed,) = plan.failed
        assert failed.target.region == "eu-west-1"
        assert failed.failure is not None
        assert "write `${region}` in the ARN" in failed.failure.message

    def test_it_waits_until_it_may_deliver(self, bench: Bench) -> None:
        left = [
            "NoSuchBucketException",
            "InsufficientDeliveryPolicyException",
            "InsufficientDeliveryPolicyException",
        ]

        def not_yet(call: WireCall, phase: str) -> Fault | None:
            return (
                Fault(left.pop())
                if call.operation == "PutDeliveryChannel" and phase == "before" and left
                else None
            )

        bench.world.interrupt(not_yet)
        bench.apply(ALL, only=ONLY)
        assert [w.until for w in bench.waits if w.operation == "put_delivery_channel"] == [
            f"AWS Config to be allowed to write to bucket {BUCKET}",
            f"AWS Config to be allowed to write to bucket {BUCKET}",
            f"AWS Config to see bucket {BUCKET}",
        ]


def open_up(bench: Bench, bucket: str) -> None:
    """Config may deliver to the bucket, wherever in it: by a statement of somebody else's."""
    text = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Action":"s3:*",'
        '"Principal":{"Service":"config.amazonaws.com"},'
        f'"Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}]}}'
    )
    bench.client("s3").put_bucket_policy(Bucket=bucket, Policy=text)


class TestAdoption:
    @pytest.mark.parametrize("running", [True, False])
    def test_a_recorder_of_another_name_is_adopted(self, bench: Bench, running: bool) -> None:
        bench.apply(ALL, only=("config_role", "log_buckets"))
        config = bench.client("config")
        bare = {"name": "theirs", "roleARN": SERVICE_ROLE, GROUP: {"allSupported": True}}
        config.put_configuration_recorder(ConfigurationRecorder=bare)
        config.put_delivery_channel(DeliveryChannel={"name": "their-channel", "s3BucketName": BUCKET})
        if running:
            config.start_configuration_recorder(ConfigurationRecorderName="theirs")
        plan = bench.diff(ALL, only=ONLY)
        started = [] if running else [("recording", False, True)]
        assert fields(plan) == [(f"{GROUP}.includeGlobalResourceTypes", False, True), *started]
        text = "was there, and is adopted under its own name; the baseline's is default"
        assert notes(plan) == [
            ("FOREIGN", f"configuration recorder theirs: {text}"),
            ("FOREIGN", f"delivery channel their-channel: {text}"),
        ]
        converges(bench, ALL)
        assert [recorder(bench)["name"]] == ["theirs"]

    def test_a_recorder_made_meanwhile_is_adopted_in_the_same_run(self, bench: Bench) -> None:
        bench.apply(ALL, only=("config_role", "log_buckets"))
        run = bench.run(ALL, only=ONLY)
        plan = run.rehearse()
        bare = {"name": "theirs", "roleARN": SERVICE_ROLE, GROUP: {"allSupported": True}}
        bench.client("config").put_configuration_recorder(ConfigurationRecorder=bare)
        failures = [r.failure for r in run.send(plan) if r.failure]
        # What is to be done to theirs was never shown: it is for the next run to ask.
        assert ["run again" in each.message for each in failures] == [True]
        converges(bench, ALL)

    @pytest.mark.parametrize(
        "linked",
        [
            {
                "name": "AWSConfigurationRecorderForSecurityHub_Assets",
                "servicePrincipal": "securityhub.amazonaws.com",
            },
            {"name": "azure", "connectorArn": "arn:aws:config:us-east-1:123456789012:connector/azure"},
        ],
    )
    def test_a_recorder_of_a_service_is_left_alone(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, linked: dict[str, str]
    ) -> None:
        bench.apply(ALL, only=ONLY)
        also(bench, monkeypatch, linked)
        plan = bench.diff(ALL, only=ONLY)
        assert fields(plan) == []
        text = f"configuration recorder {linked['name']}: belongs to an AWS service; left alone"
        assert notes(plan) == [("FOREIGN", text)]

    def test_what_control_tower_made_is_left_alone(self, bench: Bench) -> None:
        bench.apply(ALL, only=("config_role", "log_buckets"))
        config, name = bench.client("config"), "aws-controltower-BaselineConfigRecorder"
        bare = {"name": name, "roleARN": SERVICE_ROLE, GROUP: {"resourceTypes": [S3]}}
        config.put_configuration_recorder(ConfigurationRecorder=bare)
        plan = bench.apply(ALL, only=ONLY)
        assert fields(plan) == []
        assert notes(plan) == [
            ("FOREIGN", f"configuration recorder {name}: managed by Control Tower; left alone")
        ]


def also(bench: Bench, monkeypatch: pytest.MonkeyPatch, linked: dict[str, str]) -> None:
    """AWS answers with one recorder more: moto makes none for a service."""
    import provisioner.aws.cloud as cloud

    real = cloud.Cloud.read

    def read(self: Any, target: Any, service: str, region: str, operation: str, params: Any) -> Any:
        answer = real(self, target, service, region, operation, params)
        if operation == "describe_configuration_recorders":
            return {**answer, "ConfigurationRecorders": [linked, *answer["ConfigurationRecorders"]]}
        return answer

    monkeypatch.setattr(cloud.Cloud, "read", read)


class TestRegions:
    def test_iam_is_recorded_at_home_only(self, bench: Bench) -> None:
        text = recorder_file(EVERYTHING, regions=REGIONS)
        bench.apply(text, only=ONLY)
        recorded_iam = [recorder(bench, region)[GROUP]["includeGlobalResourceTypes"] for region in REGIONS]
        assert recorded_iam == [True, False]

    def test_exclusions_get_iam_elsewhere(self, bench: Bench) -> None:
        text = recorder_file({"exclusion_by_resource_types": [S3]}, regions=REGIONS)
        bench.apply(text, only=ONLY)
        excluded = [
            recorder(bench, region)[GROUP]["exclusionByResourceTypes"]["resourceTypes"] for region in REGIONS
        ]
        assert excluded == [[S3], [*IAM, S3]]
        assert fields(bench.diff(text, only=ONLY)) == []

    def test_iam_recorded_elsewhere_too_is_stricter(self, bench: Bench) -> None:
        text = recorder_file(EVERYTHING, regions=REGIONS)
        bench.apply(text, only=ONLY)
        put(bench, "eu-west-1", recordingGroup={"allSupported": True, "includeGlobalResourceTypes": True})
        plan = bench.diff(text, only=ONLY)
        assert fields(plan) == []
        assert notes(plan) == [
            (
                "STRICTER",
                f"configuration recorder default: records every type; the baseline asks for every type but {', '.join(IAM)}",
            )
        ]
        converges(bench, recorder_file(EVERYTHING, regions=REGIONS, exact=True))
        assert recorder(bench, "eu-west-1")[GROUP]["includeGlobalResourceTypes"] is False

    def test_a_home_that_knows_no_iam_is_warned_of(self, bench: Bench) -> None:
        text = "home_region: me-central-1\n" + recorder_file(EVERYTHING, regions=("me-central-1",))
        plan = bench.diff(text, only=ONLY)
        assert [kind for kind, _ in notes(plan)] == ["WARNING"]
        assert (f"{GROUP}.includeGlobalResourceTypes", None, False) in fields(plan)


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_killed_at_any_write_the_next_apply_converges(bench: Bench, place: int, phase: str) -> None:
    text = recorder_file(EVERYTHING, {"recording_frequency": "DAILY"}, retention_period_in_days=400)
    bench.apply(text, only=("config_role", "log_buckets"))
    writes = [0]

    class Killed(BaseException):
        pass

    def kill(call: WireCall, now: str) -> None:
        if call.writes and now == phase:
            writes[0] += 1
            if writes[0] == place + 1:
                raise Killed

    bench.world.interrupt(kill)
    run = bench.run(text, only=ONLY)
    plan = run.rehearse()
    with pytest.raises(Killed):
        run.send(plan)
    converges(bench, text)
    (kept,) = bench.client("config").describe_retention_configurations()["RetentionConfigurations"]
    assert kept["RetentionPeriodInDays"] == 400


NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
EARLY, LATE = NOW - timedelta(minutes=5), NOW - timedelta(days=3)
CHANNEL = {"name": "default", "s3BucketName": BUCKET}


def found(status: dict[str, Any] | None = None, channel: dict[str, Any] | None = None) -> Found:
    return Found(
        {"name": "default"},
        status or {"recording": True, "lastStartTime": LATE},
        channel or CHANNEL,
        None,
        (),
    )


def said(findings: Any) -> list[tuple[str, bool | None, str]]:
    each: Finding
    return [(each.check, each.ok, each.detail) for each in findings]


class TestHealth:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (
                {"recording": True, "lastStartTime": EARLY, "lastStatus": "Pending"},
                [
                    ("recording", True, "since 11:55 UTC, 5 minutes ago"),
                    ("last recording", None, "nothing was recorded yet"),
                ],
            ),
            (
                {
                    "recording": True,
                    "lastStartTime": LATE,
                    "lastStatus": "Success",
                    "lastStatusChangeTime": EARLY,
                },
                [
                    ("recording", True, "since 2025-12-30 12:00 UTC, 3 days ago"),
                    ("last recording", True, "succeeded at 11:55 UTC, 5 minutes ago"),
                ],
            ),
            (
                {
                    "recording": False,
                    "lastStopTime": EARLY,
                    "lastStatus": "Failure",
                    "lastStatusChangeTime": EARLY,
                    "lastErrorCode": "AccessDenied",
                    "lastErrorMessage": "no",
                },
                [
                    ("recording", False, "stopped at 11:55 UTC, 5 minutes ago"),
                    ("last recording", False, "failed at 11:55 UTC, 5 minutes ago: AccessDenied: no"),
                ],
            ),
        ],
    )
    def test_the_recorder(self, status: dict[str, Any], expected: list[Any]) -> None:
        assert said(recorder_findings(found(status), NOW)) == expected

    @pytest.mark.parametrize(
        ("channel", "status", "started", "expected"),
        [
            (
                {},
                {"configHistoryDeliveryInfo": {"lastStatus": "Success", "lastSuccessfulTime": EARLY}},
                LATE,
                [("history delivery", True, "succeeded at 11:55 UTC, 5 minutes ago")],
            ),
            (
                {"configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"}},
                {},
                EARLY,
                [
                    (
                        "history delivery",
                        None,
                        "nothing was delivered yet; the recorder started at 11:55 UTC, 5 minutes ago",
                    ),
                    (
                        "snapshot delivery",
                        None,
                        "nothing was delivered yet; the recorder started at 11:55 UTC, 5 minutes ago",
                    ),
                ],
            ),
            (
                {},
                {"configHistoryDeliveryInfo": {"lastStatus": "Not_Applicable"}},
                LATE,
                [
                    (
                        "history delivery",
                        False,
                        "nothing was delivered since the recorder started at 2025-12-30 12:00 UTC, 3 days ago",
                    )
                ],
            ),
            (
                {"snsTopicARN": "arn:aws:sns:us-east-1:123456789012:config"},
                {
                    "configHistoryDeliveryInfo": {"lastStatus": "Failure", "lastErrorCode": "NoSuchBucket"},
                    "configStreamDeliveryInfo": {"lastStatus": "Failure", "lastErrorMessage": "denied"},
                },
                LATE,
                [
                    ("history delivery", False, "failed: NoSuchBucket"),
                    ("notification delivery", False, "failed: denied"),
                ],
            ),
        ],
    )
    def test_the_channel(
        self, channel: dict[str, Any], status: dict[str, Any], started: datetime, expected: list[Any]
    ) -> None:
        have = found({"recording": True, "lastStartTime": started}, {**CHANNEL, **channel})
        assert said(channel_findings(have, status, NOW)) == expected

    def test_what_was_found(self) -> None:
        assert said(count_findings(found(), 7, NOW)) == [("resources", True, "7 resources recorded")]
        assert [ok for _, ok, _ in said(count_findings(found(), 0, NOW))] == [False]
        new = found({"recording": True, "lastStartTime": EARLY})
        assert [ok for _, ok, _ in said(count_findings(new, 0, NOW))] == [None]

    def test_nothing_there(self) -> None:
        nothing = Found(None, {}, None, None, ())
        findings = [
            *recorder_findings(nothing, NOW),
            *channel_findings(nothing, None, NOW),
            *count_findings(nothing, 0, NOW),
        ]
        assert [each.ok for each in findings] == [False, False, False]

    def test_on_the_wire(self, bench: Bench) -> None:
        bench.apply(ALL, only=ONLY)
        results = bench.run(ALL, only=ONLY).verify()
        assert [r.failure for r in results if r.failure] == []
        checks = {f.check: f.ok for r in results for f in r.findings if r.step == "config_recorder"}
        assert (checks["recording"], checks["resources"]) == (True, True)
        bench.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
        bench.client("s3").delete_bucket_policy(Bucket=BUCKET)
        checks = {f.check: f.ok for r in bench.run(ALL, only=ONLY).verify() for f in r.findings}
        assert checks["recording"] is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            recorder_file({"all_supported": True, "resource_types": [S3]}),
            "all_supported: goes without `resource_types`",
        ),
        (recorder_file({"all_supported": False}), "all_supported: nothing would be recorded"),
        (
            recorder_file({"resource_types": [S3], "exclusion_by_resource_types": [EC2]}),
            "exclusion_by_resource_types: goes without `resource_types`",
        ),
        (
            recorder_file({"resource_types": [S3], "include_global_resource_types": True}),
            "include_global_resource_types: goes with `all_supported` only: list the IAM types",
        ),
        (recorder_file({"resource_types": []}), "resource_types: want a list of at least 1 item"),
        (recorder_file({"resource_types": ["s3"]}), "resource_types[0]: want a resource type such as"),
        (
            recorder_file(
                None,
                {"recording_mode_overrides": [{"resource_types": [S3], "recording_frequency": "CONTINUOUS"}]},
            ),
            "recording_mode_overrides[0].recording_frequency: is CONTINUOUS anyway",
        ),
        (
            recorder_file(
                None,
                {
                    "recording_mode_overrides": [
                        {
                            "resource_types": ["AWS::Config::ResourceCompliance"],
                            "recording_frequency": "DAILY",
                        }
                    ]
                },
            ),
            "AWS records AWS::Config::ResourceCompliance continuously only",
        ),
        (
            recorder_file(
                {"resource_types": ["AWS::Config::ResourceCompliance"]}, {"recording_frequency": "DAILY"}
            ),
            "recording_mode.recording_frequency: AWS records AWS::Config::ResourceCompliance continuously only",
        ),
        (config_file({"retention_period_in_days": 29}), "want a whole number from 30 to 2557, got 29"),
        (config_file(s3_bucket_name="confg"), "`log_buckets` has no 'confg'; did you mean 'config'?"),
        (config_file(s3_bucket_name="acme-else"), "`log_buckets` has no 'acme-else'"),
        (
            config_file(s3_bucket_name="locked").replace(
                "other: {name: acme-other}",
                "locked: {name: acme-locked, object_lock: {mode: GOVERNANCE, days: 1}}",
            ),
            "AWS Config cannot deliver to a bucket with Object Lock",
        ),
        (config_file(s3_key_prefix="aws/"), "want a prefix without / at its ends"),
        (
            config_file(s3_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/k"),
            "s3_kms_key_arn: the key is in eu-west-1; it has to be where the bucket is, in us-east-1",
        ),
        (config_file(s3_kms_key_arn="alias/config"), "want the ARN of a KMS key"),
        (
            config_file(sns_topic_arn="arn:aws:sns:eu-west-1:123456789012:config"),
            "sns_topic_arn: the topic is in eu-west-1, which is none of `regions`",
        ),
        (config_file(delivery_frequency="Hourly"), "delivery_frequency: want one of 'One_Hour'"),
    ],
)
def test_what_the_file_may_not_say(bench: Bench, text: str, words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(text)
    assert words in str(error.value)


def test_a_bucket_may_be_named_by_its_name(bench: Bench) -> None:
    plan = bench.diff(config_file(s3_bucket_name=BUCKET), only=ONLY)
    assert ("s3BucketName", None, BUCKET) in fields(plan)
    assert any("AWSConfigBucketDelivery" in name for name, _, _ in fields(plan))
