"""Amazon Macie in each Region that has it: sensitive data in S3, its results in a log bucket, and the organization."""
