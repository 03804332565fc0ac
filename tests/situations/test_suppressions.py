"""Tests of what others make so that findings are not seen: told as a danger, ended with consent, and else left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from provisioner.sandbox import Fault

from ..conftest import Bench

CONSENT = "remove-foreign-suppression"
STANDARD = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
EVERYTHING = {"Criterion": {"severity": {"GreaterThanOrEqual": 0}}}
LIST = {"Name": "theirs", "Format": "TXT", "Location": "s3://theirs/list.txt"}


def detector(client: Any) -> dict[str, str]:
    return {"DetectorId": client.list_detectors()["DetectorIds"][0]}


def automation_rule(update: dict[str, Any], **more: Any) -> Callable[[Any], Any]:
    actions = [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}]
    plain = {
        "RuleName": "theirs",
        "RuleOrder": 1,
        "Description": "theirs",
        "Criteria": {},
        "Actions": actions,
    }
    return lambda client: client.create_automation_rule(**plain, **more)


class Hiding(NamedTuple):
    """What somebody makes in a service, and the difference that `diff` shows; none for what hides nothing."""

    section: str
    service: str
    make: Callable[[Any], Any]
    field: str = ""


def guardduty(make: Callable[[Any, dict[str, str]], Any], field: str = "") -> Hiding:
    return Hiding("guardduty", "guardduty", lambda client: make(client, detector(client)), field)


def filter_(action: str, field: str = "") -> Hiding:
    given = {"Name": "theirs", "FindingCriteria": EVERYTHING, "Action": action}
    return guardduty(lambda client, key: client.create_filter(**key, **given), field)


def hub(update: dict[str, Any], field: str = "", **more: Any) -> Hiding:
    return Hiding("security_hub", "securityhub", automation_rule(update, **more), field)


def macie(action: str, field: str = "") -> Hiding:
    given = {"name": "theirs", "action": action, "findingCriteria": {}}
    return Hiding("macie", "macie2", lambda client: client.create_findings_filter(**given), field)


def archive(client: Any) -> Any:
    name = client.list_analyzers()["analyzers"][0]["name"]
    return client.create_archive_rule(analyzerName=name, ruleName="theirs", filter={})


def subscription(policy: str) -> Callable[[Any], Any]:
    def put(client: Any) -> Any:
        topic = client.list_topics()["Topics"][0]
        [found] = client.list_subscriptions_by_topic(**topic)["Subscriptions"]
        given = {"AttributeName": "FilterPolicy", "AttributeValue": policy}
        return client.set_subscription_attributes(SubscriptionArn=found["SubscriptionArn"], **given)

    return put


def control(name: str, status: str, field: str = "") -> Hiding:
    """Somebody switches a control of the standard in the file, which names IAM.6 for the other Regions only."""
    reason = {"UpdatedReason": "noise"} if status == "DISABLED" else {}

    def switch(client: Any) -> Any:
        one = {"StandardsArn": STANDARD, "SecurityControlId": name, "AssociationStatus": status, **reason}
        return client.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[one])

    return Hiding("security_hub", "securityhub", switch, field)


CASES = [
    control("S3.1", "DISABLED", "S3.1"),
    control("IAM.6", "DISABLED", "IAM.6"),
    control("S3.1", "ENABLED"),
    filter_("ARCHIVE", "suppression rule theirs"),
    filter_("NOOP"),
    guardduty(lambda client, key: client.create_ip_set(**key, **LIST, Activate=True), "trusted list theirs"),
    guardduty(lambda client, key: client.create_ip_set(**key, **LIST, Activate=False)),
    guardduty(
        lambda client, key: client.create_trusted_entity_set(**key, **LIST, Activate=True),
        "trusted list theirs",
    ),
    guardduty(lambda client, key: client.create_trusted_entity_set(**key, **LIST, Activate=False)),
    hub({"Workflow": {"Status": "SUPPRESSED"}}, "automation rule theirs"),
    hub({"Workflow": {"Status": "RESOLVED"}}, "automation rule theirs"),
    hub({"Severity": {"Label": "INFORMATIONAL"}}, "automation rule theirs"),
    hub({"Severity": {"Label": "CRITICAL"}}),
    hub({"Workflow": {"Status": "SUPPRESSED"}}, RuleStatus="DISABLED"),
    macie("ARCHIVE", "suppression rule theirs"),
    macie("NOOP"),
    Hiding("access_analyzer", "accessanalyzer", archive, "archive rule theirs"),
    Hiding("alarms", "sns", subscription('{"from": ["nobody"]}'), "filter policy"),
    Hiding("alarms", "sns", subscription("{}")),
]


FILES = {
    "guardduty": "guardduty: {state: enabled}",
    "macie": "macie: {finding_publishing_frequency: ONE_HOUR}",
    "alarms": """
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs}
alarms:
  cis: tampering
  topic: {subscriptions: [{protocol: sqs, endpoint: "arn:aws:sqs:us-east-1:123456789012:heard"}]}""",
    "access_analyzer": "access_analyzer: {state: enabled}",
    "security_hub": """
log_buckets: {logs: {name: acme-logs}}
config: {recorder: {name: default}, delivery_channel: {s3_bucket_name: logs}}
security_hub:
  standards:
    aws-foundational-security-best-practices/v/1.0.0:
      disabled_controls:
        EC2.2: {reason: Checked elsewhere}
        IAM.6: {reason: Checked in the home Region, except_home_region: true}""",
}


def file(section: str) -> str:
    """The section with nothing in it, and what it needs."""
    return f"home_region: us-east-1\nregions: [us-east-1]\n{FILES[section]}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section} {case.field or 'harmless'}")
def test_what_hides_findings_is_told_and_ended_with_consent_only(bench: Bench, case: Hiding) -> None:
    text = file(case.section)
    only = ("alarms_topic",) if case.section == "alarms" else (case.section,)
    bench.apply(text, only=only)
    case.make(bench.client(case.service))
    found = [(d.field, c.consent) for _, c in bench.diff(text, only=only).changes for d in c.differences]
    assert found == ([(case.field, CONSENT)] if case.field else [])
    run = bench.run(text, only=only)
    sent = run.send(run.rehearse())
    assert [c.consent for r in sent for c in r.without_consent] == [CONSENT] * len(found)
    assert bench.apply(text, only=only, allow=(CONSENT,)).failed == []
    assert bench.diff(text, only=only).changes == []


def test_a_control_may_stay_off_where_new_ones_do(bench: Bench) -> None:
    text = file("security_hub").replace("  standards:", "  auto_enable_controls: false\n  standards:")
    bench.apply(text, only=("security_hub",))
    control("S3.1", "DISABLED").make(bench.client("securityhub"))
    assert bench.diff(text, only=("security_hub",)).changes == []


def test_a_member_of_security_hub_is_not_asked_for_the_rules_of_its_administrator(bench: Bench) -> None:
    text, only = file("security_hub"), ("security_hub",)
    bench.apply(text, only=only)
    bench.world.memory["security_hub_members"] = {("123456789012", "us-east-1"): "444455556666"}
    assert bench.diff(text, only=only).failed == []


def test_a_list_that_a_region_does_not_offer_is_no_failure(bench: Bench) -> None:
    text = file("guardduty")
    bench.apply(text)
    refused = Fault("BadRequestException", 400, "The request is rejected because it is not supported.")
    bench.world.interrupt(lambda call, phase: refused if call.operation == "ListTrustedEntitySets" else None)
    assert bench.diff(text).failed == []
