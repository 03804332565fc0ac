"""The sandbox's rules and breaks for log buckets."""
