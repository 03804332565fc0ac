"""CloudTrail: the trail, and the trusted access that an organization's trail needs."""
