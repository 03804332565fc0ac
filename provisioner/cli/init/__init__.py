"""The command `init`: a commented file for the account that it runs in, made from a profile. It names no service."""
