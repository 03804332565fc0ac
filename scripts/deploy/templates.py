"""Make the CloudFormation templates of the Lambda function for one file: its policies, and the rules for the events.

`scripts/build-lambda` runs it: `templates.py baseline.yaml --account 123456789012 --into build`.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from provisioner.baseline import Baseline, load
from provisioner.permissions import MANAGED_POLICY, Part, Policy, of_caller, policy, size
from provisioner.repair.watched import event_patterns, watched_events
from provisioner.steps.registry import all_sections

BASE = Path(__file__).with_name("repair.template.yaml")
_PURPOSES: Final = ("diff", "verify", "apply", "repair")
Template = dict[str, Any]


def repair_template(baseline: Baseline, account: str, partition: str) -> Template:
    """The template of the function, with as few managed policies as hold what the file needs: a role has at most ten."""
    template: Template = copy.deepcopy(yaml.safe_load(BASE.read_text()))
    resources = template["Resources"]
    for number, document in enumerate(_policies(list(of_caller(baseline, account, partition))), 1):
        name = f"Baseline{number}Policy"
        resources[name] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
        resources["Role"]["Properties"]["ManagedPolicyArns"].append({"Ref": name})
    return template


def _policies(parts: list[Part]) -> Iterator[Policy]:
    """Yield policies of whole sections, each as long as IAM allows."""
    held: list[Part] = []
    for section in sorted({each.section for each in parts}):
        more = [each for each in parts if each.section == section]
        if held and size(policy([*held, *more], _PURPOSES)) > MANAGED_POLICY:
            yield policy(held, _PURPOSES)
            held = []
        held += more
    yield policy(held, _PURPOSES)


def events_template(baseline: Baseline, account: str, partition: str) -> Template:
    """The template of the rules, for each Region and account whose calls can break the baseline."""
    forward = {"Id": "bus", "Arn": {"Ref": "BusArn"}, "RoleArn": {"Fn::GetAtt": ["Forward", "Arn"]}}
    rules = {
        f"{name}Events": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": pattern, "State": "ENABLED", "Targets": [forward]},
        }
        for name, pattern in event_patterns(watched_events(baseline, account, partition))
    }
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}
    put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": "BusArn"}}
    role = {
        "AssumeRolePolicyDocument": _document(trust),
        "Policies": [{"PolicyName": "forward", "PolicyDocument": _document(put)}],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "provision - forwards the calls that can break the security baseline; made by scripts/build-lambda",
        "Parameters": {"BusArn": {"Type": "String", "Description": "The output of repair.template.json"}},
        "Resources": {"Forward": {"Type": "AWS::IAM::Role", "Properties": role}, **rules},
    }


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def main() -> None:
    """Write both templates."""
    parser = argparse.ArgumentParser(description="Make the CloudFormation templates of the Lambda function.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--account", required=True, help="the account of the function")
    parser.add_argument("--into", type=Path, default=Path("build"))
    given = parser.parse_args()
    baseline = load(given.file, all_sections(), {})
    given.into.mkdir(parents=True, exist_ok=True)
    for name, make in (("repair", repair_template), ("events", events_template)):
        made = make(baseline, given.account, baseline.partition)
        (given.into / f"{name}.template.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
