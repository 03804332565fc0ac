"""Run steps: one step, the graph of steps, a whole run and its plan."""
