"""An organization of any size on this machine, fast enough to outrun the tool that reads it. For `fleet_bench.py`."""
