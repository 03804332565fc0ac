"""The sandbox's rules and breaks for KMS keys, beside those that every service needs."""
