"""The sandbox's rules, breaks and permissions for CloudWatch Logs, CloudWatch alarms, SNS and EventBridge."""
