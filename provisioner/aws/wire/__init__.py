"""Own HTTP connections to AWS, in place of botocore's."""
