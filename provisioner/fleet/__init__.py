"""Many accounts: which they are, and who does the work in each."""
