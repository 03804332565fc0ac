"""Service-linked roles and AWS managed policies for AWS Config."""

from __future__ import annotations

from ....sandbox.iam import LINKED_ROLES, MANAGED_POLICIES
from ..principal import CONFIG, principal

LINKED_ROLES |= {
    CONFIG: "Config",
    principal("aws-iso"): "Config",
    "config-conforms.amazonaws.com": "ConfigConforms",
    "config-multiaccountsetup.amazonaws.com": "ConfigMultiAccountSetup",
}
for _name, _actions in {
    "AWS_ConfigRole": ["config:Put*", "cloudtrail:Describe*", "iam:Get*", "s3:GetBucket*", "s3:List*"],
    "AWSConfigRoleForOrganizations": ["organizations:List*", "organizations:Describe*"],
}.items():
    _statement = {"Effect": "Allow", "Action": _actions, "Resource": "*"}
    MANAGED_POLICIES[_name] = {"Version": "2012-10-17", "Statement": [_statement]}
