"""Settings of the account as a whole, and of the account in each Region."""
