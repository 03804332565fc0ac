"""A fast mock of AWS that serves an organization of any size on this machine. `fleet_bench.py` starts it."""
