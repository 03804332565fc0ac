"""What happens in accounts that are not empty, not whole, or not ours alone: issue 3's situations, by number."""
