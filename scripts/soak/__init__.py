"""A simulated week of unattended repair against an adversary, in the sandbox: `python -m soak --seed 1`."""
