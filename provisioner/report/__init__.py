"""Reports of a run, for people (lines of text) and for machines (JSON). Pure functions: no AWS calls, no printing."""
