"""The roles and policies that AWS has for AWS Config."""

from __future__ import annotations

from ....sandbox.iam import LINKED, MANAGED

LINKED |= {
    "config.amazonaws.com": "Config",
    "config-conforms.amazonaws.com": "ConfigConforms",
    "config-multiaccountsetup.amazonaws.com": "ConfigMultiAccountSetup",
}
_FOR_CONFIG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["config:Put*", "cloudtrail:Describe*", "iam:Get*", "s3:GetBucket*", "s3:List*"],
            "Resource": "*",
        }
    ],
}
_FOR_ORGANIZATIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["organizations:List*", "organizations:Describe*"], "Resource": "*"}
    ],
}
MANAGED |= {"AWS_ConfigRole": _FOR_CONFIG, "AWSConfigRoleForOrganizations": _FOR_ORGANIZATIONS}
