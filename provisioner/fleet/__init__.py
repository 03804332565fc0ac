"""The accounts of a run: which they are, and the threads, processes or cluster that do the work in them."""
