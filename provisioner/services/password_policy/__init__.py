"""IAM: the password policy of the account."""
