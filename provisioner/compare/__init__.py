"""What AWS has beside what the baseline wants: pure functions, no call."""
