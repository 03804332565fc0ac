"""Run steps: one, then the graph of them, then a whole run and its plan."""
