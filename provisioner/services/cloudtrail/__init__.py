"""AWS CloudTrail: the trail, and the trusted access that an organization trail needs."""
