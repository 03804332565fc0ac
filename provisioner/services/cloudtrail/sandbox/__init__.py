"""The sandbox's rules, breaks and permissions for CloudTrail."""
