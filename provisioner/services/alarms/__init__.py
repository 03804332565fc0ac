"""Alarms on tampering: CloudTrail's events in CloudWatch Logs, metric filters, alarms, an SNS topic and an EventBridge rule."""
