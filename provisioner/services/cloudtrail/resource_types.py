"""The resource types of CloudTrail's data events, and the ARNs that resources of each type have. Pure: data, and a check.

Types: CloudTrail User Guide, "Data events supported by AWS CloudTrail", as of November 2026. ARNs: Service
Authorization Reference, "Actions, resources, and condition keys".
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_TYPES: Final = """
AgentAccessMCP Tools
AgentRegistry Registry
AIDevOps AgentSpace Association OperatorAppTeam PipelineMetadata Service
AIOps InvestigationGroup
AOSS Collection
AppConfig Configuration
ApplicationSignals InstrumentationConfig
AppSync GraphQLApi
AWSExternalAnthropic Workspace
B2BI Transformer
Backup BackupAccessPoint SearchJob
Bedrock AdvancedOptimizePromptJob AgentAlias AsyncInvoke AutomatedReasoningPolicy AutomatedReasoningPolicyVersion
Bedrock Blueprint DataAutomationInvocation DataAutomationProfile DataAutomationProject FlowAlias FlowExecution
Bedrock Guardrail InlineAgent KnowledgeBase Model PromptVersion Session Tool
BedrockAgentCore ABTest APIKeyCredentialProvider BatchEvaluate Browser BrowserCustom BrowserProfile CapacityProvider
BedrockAgentCore CodeInterpreter CodeInterpreterCustom Evaluator Gateway Memory OAuth2CredentialProvider Payments
BedrockAgentCore Policy PolicyEngine Recommendation Registry Runtime RuntimeEndpoint TokenVault WorkloadIdentity
BedrockAgentCore WorkloadIdentityDirectory
BedrockMantle Project
BedrockWebSearch Tool
Cassandra Stream Table
CertificateManager AcmeEndpoint
ClinicalTrialsTech Codelist Dataset Execution Instance Mapping Schedule Study
CloudFront KeyValueStore
CloudOptimization Profile Recommendation
CloudTrail Channel
CloudWatch Dataset IngestionEndpoint Metric
CodeGuruProfiler ProfilingGroup
CodeWhisperer Customization Profile
Cognito IdentityPool
DataExchange Asset
Deadline Fleet Job Queue Worker
DiodeAlerting LinkedAlert
DSQL Cluster
DynamoDB Stream Table
EC2 InstanceConnectEndpoint Snapshot
ECS ContainerInstance
EKS Dashboard
EMRWAL Workspace
Events Endpoint EventBus EventSource Rule
FinSpace Environment
FSx Volume
GameLiftStreams Application StreamGroup
GeoMaps Provider
GeoPlaces Provider
GeoRoutes Provider
Glue Table
GreengrassV2 ComponentVersion Deployment
GuardDuty Detector MalwareScan
HealthAgent Domain Integration PatientInsightsJob Session Subscription
HealthLake DataTransformationProfile
IoT Certificate Thing Tunnel
IoTSiteWise Asset Dataset Pipeline TimeSeries Workspace
IoTTwinMaker Entity Workspace
KendraRanking ExecutionPlan
Kinesis Stream StreamConsumer
KinesisFirehose DeliveryStream
KinesisVideo SignalingChannel Stream
Lambda Function MicrovmImage
Lex Bot BotAlias
Logs LogGroupAuthorization ScheduledQuery
MachineLearning MlModel
ManagedBlockchain Network Node
ManagedBlockchainQuery QueryAPI
MedicalImaging Datastore Imageset
MWAA Environment
NeptuneGraph Graph
NetworkFlowMonitor Monitor Scope
NovaAct WorkflowDefinition WorkflowRun
One UKey User
PaymentCryptography Alias Key
PCAConnectorAD Connector
PCAConnectorSCEP Connector
Pinpoint App
QApps QApp QAppSession
QBusiness Application DataSource Index Integration WebExperience
QDeveloper Integration
Quicksight ActionConnector
QuickSight App Automation AutomationJob Extension ExtensionAccess Flow FlowSession Page Task
RDS DBCluster
Redshift Cluster
ResourceExplorer2 ManagedView View
RUM AppMonitor
S3 AccessPoint Object
S3Express AccessPoint Object
S3ObjectLambda AccessPoint
S3Outposts Object
S3Tables Table TableBucket
S3Vectors Index VectorBucket
SageMaker Endpoint ExperimentTrialComponent FeatureGroup Hub Job MlflowApp MlflowTrackingServer TrainingSession
SCN BusinessRule DataLakeException ExceptionInvestigation ExceptionRule Instance Metric MetricEvaluation Outcome
SCN OutcomeTemplate
SDB Domain
ServiceDiscovery Namespace Service
SES ConfigurationSet EmailIdentity Template
Signer SigningJob SigningProfile
SitewiseAssistant Conversation
SMSVoice CarrierLookup ConfigurationSet Message NotifyConfiguration OriginationIdentity
SNS PlatformEndpoint Topic
SocialMessaging PhoneNumberId WabaId
SQS Queue
SSM ExecutionPreview ManagedNode
SSMMessages ControlChannel
StepFunctions Activity StateMachine
SupportAccess Tenant TrustingAccount TrustingRole
SWF Domain
ThinClient Device Environment
Timestream Database RegionalEndpoint Table
Transform AgentInstance Profile
TransformCustom Campaign Conversation KnowledgeItem Package
UXC AccountCustomization
VerifiedPermissions PolicyStore
WellArchitected AgentRecommendation
XRay Trace
"""
S3_OBJECT: Final = "AWS::S3::Object"
# What follows `arn:PARTITION:` in the ARNs of a type, R for a Region and A for an account id; then any more text.
_ARNS: Final = {
    "AWS::CloudTrail::Channel": "cloudtrail:R:A:channel/",
    "AWS::Cognito::IdentityPool": "cognito-identity:R:A:identitypool/",
    "AWS::DynamoDB::Stream": "dynamodb:R:A:table/",
    "AWS::DynamoDB::Table": "dynamodb:R:A:table/",
    "AWS::EC2::Snapshot": "ec2:R::snapshot/",
    "AWS::Glue::Table": "glue:R:A:table/",
    "AWS::GuardDuty::Detector": "guardduty:R:A:detector/",
    "AWS::Kinesis::Stream": "kinesis:R:A:stream/",
    "AWS::Lambda::Function": "lambda:R:A:function:",
    "AWS::RDS::DBCluster": "rds:R:A:cluster:",
    "AWS::S3::AccessPoint": "s3:?:A:accesspoint/",  # without a Region for a Multi-Region Access Point
    S3_OBJECT: "s3:::",
    "AWS::S3ObjectLambda::AccessPoint": "s3-object-lambda:R:A:accesspoint/",
    "AWS::S3Outposts::Object": "s3-outposts:R:A:",
    "AWS::SNS::Topic": "sns:R:A:",
    "AWS::SQS::Queue": "sqs:R:A:",
    "AWS::SSM::ManagedNode": "?:R:A:",  # of EC2 or of Systems Manager
    "AWS::StepFunctions::StateMachine": "states:R:A:stateMachine:",
}
# Placeholders in a form: a partition, a Region, an account id, and anything.
_ANY: Final = {"P": r"aws[a-z-]*", "R": r"[a-z0-9-]+", "A": r"\d{12}", "?": r"[a-z0-9-]*"}
_WORDS: Final = {"P": "PARTITION", "R": "REGION", "A": "ACCOUNT", "?": "..."}


@cache
def resource_types() -> frozenset[str]:
    """All types, as `AWS::S3::Object`."""
    lines = [line.split() for line in _TYPES.strip().splitlines()]
    return frozenset(f"AWS::{service}::{name}" for service, *names in lines for name in names)


def arn_problem(kind: str, value: str, partition: str, *, whole: bool) -> str:
    """Why *value* is no ARN of the type; or unless *whole*, not the beginning of one. An empty text if it is.

    Without *partition*, that of the value is not checked.
    """
    form = f"arn:{partition or 'P'}:{_ARNS.get(kind, '?:?:?:')}".split(":", 5)
    *complete, last = found = value.split(":", 5)
    want = form[len(complete)]
    fits = all(_matches(have, each) for have, each in zip(complete, form, strict=False))
    if whole:
        fits &= len(found) == len(form) and last.startswith(want) and last != want
        # Without a slash, it is the ARN of a bucket, which has no data events.
        fits &= kind != S3_OBJECT or bool(re.fullmatch(r"[\w.-]+/.*", last))
    else:
        fits &= want in _ANY or want.startswith(last) or (len(found) == len(form) and last.startswith(want))
    if fits:
        return ""
    example = ":".join(_WORDS.get(each, each) for each in form)
    example += "BUCKET/PREFIX" if kind == S3_OBJECT else "..."
    return f"want {'an ARN' if whole else 'the beginning of an ARN'} of {kind}, as `{example}`, got `{value}`"


def _matches(have: str, want: str) -> bool:
    return bool(re.fullmatch(_ANY[want], have)) if want in _ANY else have == want


def is_of_another_service(kind: str, value: str) -> bool:
    """Whether the service of the ARN has other types only, as far as the table of ARNs goes, which lacks this type."""
    owners = {form.split(":")[0]: name.rpartition("::")[0] for name, form in _ARNS.items()}
    own = kind.rpartition("::")[0]
    return kind not in _ARNS and any(owners.get(each, own) != own for each in value.split(":")[2:3])
