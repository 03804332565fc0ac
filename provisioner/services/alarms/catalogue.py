"""What raises an alarm: the patterns of the metric filters, and the events of the EventBridge rule. Data only.

Sources: "CIS AWS Foundations Benchmark" v5.0, 4.1 to 4.15 (numbered alike since v1.5; 5.1 to 5.15 since v6.0), in the
spelling of "Security Hub CSPM controls for CloudWatch", whose controls CloudWatch.1 to 14 take these patterns only as they
are: "additional fields or terms cannot be added". What CIS forgot is therefore in filters of its own, which feed the same
metric. Grammar: "Filter pattern syntax for metric filters", at most 1,024 characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AlarmName = Literal[
    "unauthorized_calls",
    "console_without_mfa",
    "root_usage",
    "iam_changes",
    "trail_changes",
    "failed_sign_in",
    "key_deletion",
    "bucket_policy_changes",
    "config_changes",
    "security_groups",
    "network_acls",
    "gateways",
    "route_tables",
    "vpcs",
    "organization_changes",
    "watchers",
    "detectors",
]


@dataclass(frozen=True)
class Entry:
    """What one alarm is about: its *title*, the filter *patterns*, and its number in CIS, or an empty text."""

    title: str
    cis: str
    patterns: tuple[str, ...]
    tampering: bool = False  # somebody stops what records


def _any(names: str, join: str = " || ") -> str:
    return join.join(f"($.eventName={each})" for each in names.split())


def _cis(names: str, source: str = "") -> str:
    """A pattern of CIS for events of these names, of one source if it names one."""
    found = _any(names)
    return f"{{($.eventSource={source}.amazonaws.com) && ({found})}}" if source else f"{{{found}}}"


def _events(unless: str = "", /, **sources: str) -> str:
    """A pattern of ours for the events of each source, in as few characters as possible; `_` stands for a hyphen."""
    each = (
        f"($.eventSource={name.replace('_', '-')}.amazonaws.com&&({_any(names, '||')}))"
        for name, names in sources.items()
    )
    found = "||".join(each)
    return f"{{({found})&&{unless}}}" if unless else f"{{{found}}}"


# Auto Scaling makes, changes and deletes alarms of its own, all day.
_BY_NO_AUTO_SCALING: Final = (
    '($.userIdentity.invokedBy NOT EXISTS||$.userIdentity.invokedBy!="*autoscaling.amazonaws.com")'
)

CATALOGUE: Final[dict[AlarmName, Entry]] = {
    "unauthorized_calls": Entry(
        "a call was denied",
        "4.1",
        # HeadBucket and log delivery are denied where nothing is wrong: they ask whether a bucket is there.
        (
            (
                '{(($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*"))'
                ' && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket")}'
            ),
        ),
    ),
    "console_without_mfa": Entry(
        "somebody signed in to the console without MFA",
        "4.2",
        (
            (
                '{($.eventName="ConsoleLogin") && ($.additionalEventData.MFAUsed!="Yes")'
                ' && ($.userIdentity.type="IAMUser") && ($.responseElements.ConsoleLogin="Success")}'
            ),
        ),
    ),
    "root_usage": Entry(
        "the root user did something",
        "4.3",
        (
            (
                '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS'
                ' && $.eventType !="AwsServiceEvent"}'
            ),
        ),
    ),
    "iam_changes": Entry(
        "an IAM policy was changed",
        "4.4",
        (
            _cis(
                "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy"
                " CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy"
                " DetachRolePolicy AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
                "iam",
            ),
            _events(
                iam="SetDefaultPolicyVersion UpdateAssumeRolePolicy PutUserPermissionsBoundary"
                " DeleteUserPermissionsBoundary PutRolePermissionsBoundary DeleteRolePermissionsBoundary"
                " UpdateSAMLProvider CreateSAMLProvider CreateOpenIDConnectProvider"
            ),
        ),
    ),
    "trail_changes": Entry(
        "a trail was changed, stopped or deleted",
        "4.5",
        (
            _cis("CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"),
            _events(
                cloudtrail="PutEventSelectors PutInsightSelectors PutEventConfiguration DeleteEventDataStore"
                " UpdateEventDataStore StopEventDataStoreIngestion RegisterOrganizationDelegatedAdmin"
                " DeregisterOrganizationDelegatedAdmin"
            ),
        ),
        tampering=True,
    ),
    "failed_sign_in": Entry(
        "a sign-in to the console failed",
        "4.6",
        ('{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',),
    ),
    "key_deletion": Entry(
        "a KMS key was disabled or is to be deleted",
        "4.7",
        (
            _cis("DisableKey ScheduleKeyDeletion", "kms"),
            _events(kms="PutKeyPolicy DeleteImportedKeyMaterial DisableKeyRotation UpdatePrimaryRegion"),
        ),
    ),
    "bucket_policy_changes": Entry(
        "who may use a bucket was changed",
        "4.8",
        (
            _cis(
                "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication"
                " DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
                "s3",
            ),
            _events(
                s3="DeleteBucket PutBucketPublicAccessBlock DeleteBucketPublicAccessBlock PutBucketVersioning"
                " PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock PutBucketOwnershipControls"
                " DeleteBucketOwnershipControls PutBucketObjectLockConfiguration PutBucketEncryption"
                " DeleteBucketEncryption PutBucketLogging"
            ),
        ),
    ),
    "config_changes": Entry(
        "AWS Config was changed or stopped",
        "4.9",
        (
            _cis(
                "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
                "config",
            ),
            _events(
                config="DeleteConfigurationRecorder DeleteServiceLinkedConfigurationRecorder DeleteConfigRule"
                " PutRetentionConfiguration DeleteRetentionConfiguration DeleteConfigurationAggregator"
                " DeleteAggregationAuthorization DeleteConformancePack DeleteOrganizationConfigRule"
                " DeleteOrganizationConformancePack DisassociateResourceTypes DeleteRemediationConfiguration"
            ),
        ),
        tampering=True,
    ),
    "security_groups": Entry(
        "a security group was changed",
        "4.10",
        (
            _cis(
                "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress"
                " RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup"
            ),
            _events(ec2="ModifySecurityGroupRules AssociateSecurityGroupVpc DisassociateSecurityGroupVpc"),
        ),
    ),
    "network_acls": Entry(
        "a network ACL was changed",
        "4.11",
        (
            _cis(
                "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry"
                " ReplaceNetworkAclEntry ReplaceNetworkAclAssociation"
            ),
        ),
    ),
    "gateways": Entry(
        "a gateway of a network was changed",
        "4.12",
        (
            _cis(
                "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway"
                " DeleteInternetGateway DetachInternetGateway"
            ),
            _events(
                ec2="CreateNatGateway DeleteNatGateway CreateTransitGateway DeleteTransitGateway"
                " ModifyTransitGateway CreateEgressOnlyInternetGateway DeleteEgressOnlyInternetGateway"
                " AttachVpnGateway DetachVpnGateway CreateVpnGateway DeleteVpnGateway"
            ),
        ),
    ),
    "route_tables": Entry(
        "a route table was changed",
        "4.13",
        (
            _cis(
                "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable"
                " DeleteRoute DisassociateRouteTable",
                "ec2",
            ),
            _events(ec2="AssociateRouteTable EnableVgwRoutePropagation DisableVgwRoutePropagation"),
        ),
    ),
    "vpcs": Entry(
        "a VPC was changed",
        "4.14",
        (
            _cis(
                "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection"
                " DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc"
                " DetachClassicLinkVpc DisableVpcClassicLink EnableVpcClassicLink"
            ),
            _events(
                ec2="DeleteFlowLogs ModifyVpcPeeringConnectionOptions CreateVpcEndpoint DeleteVpcEndpoints"
                " ModifyVpcEndpoint ModifyVpcBlockPublicAccessOptions"
            ),
        ),
    ),
    "organization_changes": Entry(
        "the organization was changed",
        "4.15",
        (
            # In Prowler's order, which has three events more than CIS.
            _cis(
                "AcceptHandshake AttachPolicy CancelHandshake CreateAccount CreateOrganization"
                " CreateOrganizationalUnit CreatePolicy DeclineHandshake DeleteOrganization"
                " DeleteOrganizationalUnit DeletePolicy EnableAllFeatures EnablePolicyType"
                " InviteAccountToOrganization LeaveOrganization DetachPolicy DisablePolicyType MoveAccount"
                " RemoveAccountFromOrganization UpdateOrganizationalUnit UpdatePolicy",
                "organizations",
            ),
            _events(
                organizations="EnableAWSServiceAccess DisableAWSServiceAccess RegisterDelegatedAdministrator"
                " DeregisterDelegatedAdministrator PutResourcePolicy DeleteResourcePolicy CloseAccount"
                " CreateGovCloudAccount",
                iam="DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions",
            ),
        ),
    ),
    "watchers": Entry(
        "alarms, or what carries them, were changed or switched off",
        "",
        (
            _events(
                _BY_NO_AUTO_SCALING,
                monitoring="DeleteAlarms DisableAlarmActions PutMetricAlarm SetAlarmState PutAlarmMuteRule",
                events="DisableRule DeleteRule RemoveTargets PutRule PutTargets",
            ),
            _events(
                logs="DeleteMetricFilter PutMetricFilter DeleteLogGroup DeleteLogStream PutRetentionPolicy"
                " PutAccountPolicy PutLogGroupDeletionProtection DisassociateKmsKey PutTransformer",
                sns="Unsubscribe DeleteTopic SetTopicAttributes SetSubscriptionAttributes RemovePermission"
                " AddPermission",
            ),
        ),
        tampering=True,
    ),
    "detectors": Entry(
        "a service that finds attacks was changed or switched off",
        "",
        (
            _events(
                guardduty="DeleteDetector UpdateDetector StopMonitoringMembers DisassociateMembers"
                " DeleteMembers DisassociateFromAdministratorAccount DisableOrganizationAdminAccount"
                " CreateFilter CreateIPSet UpdateIPSet UpdateMemberDetectors DeletePublishingDestination"
                " UpdatePublishingDestination UpdateMalwareScanSettings"
            ),
            _events(
                securityhub="DisableSecurityHub BatchDisableStandards UpdateStandardsControl"
                " DisassociateFromAdministratorAccount DisableOrganizationAdminAccount"
                " DeleteFindingAggregator CreateAutomationRule DisableSecurityHubV2",
                macie2="DisableMacie UpdateMacieSession DisableOrganizationAdminAccount",
                access_analyzer="DeleteAnalyzer UpdateAnalyzer CreateArchiveRule UpdateArchiveRule",
                config="StopConfigurationRecorder DeleteConfigurationRecorder",
            ),
            # Nothing is switched off by these, but less is found, or fewer see it.
            _events(
                guardduty="UpdateFilter CreateTrustedEntitySet UpdateTrustedEntitySet UpdateOrganizationConfiguration",
                securityhub="BatchUpdateAutomationRules BatchUpdateStandardsControlAssociations DeleteAggregatorV2"
                " DeleteConfigurationPolicy StartConfigurationPolicyDisassociation UpdateAggregatorV2"
                " UpdateConfigurationPolicy UpdateFindingAggregator UpdateOrganizationConfiguration"
                " UpdateSecurityHubConfiguration",
            ),
            _events(
                macie2="UpdateAutomatedDiscoveryConfiguration PutClassificationExportConfiguration"
                " CreateFindingsFilter UpdateFindingsFilter UpdateMemberSession DisassociateMember DeleteMember"
            ),
        ),
        tampering=True,
    ),
}
