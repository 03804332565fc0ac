"""Faster transport than botocore's: own HTTP connections to AWS, and own signatures for reads of JSON services."""
