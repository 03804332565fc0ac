"""Amazon S3: the buckets that receive log files."""
