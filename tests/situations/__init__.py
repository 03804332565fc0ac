"""Tests in accounts that are not empty, restricted, shared with others, or slow to converge."""
