"""The sandbox's rules and breaks for the password policy."""
