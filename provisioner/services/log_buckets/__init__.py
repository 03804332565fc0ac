"""S3: the buckets that logs are delivered to."""
