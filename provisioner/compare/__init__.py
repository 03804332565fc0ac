"""Pure functions that compare what AWS has with what the baseline wants."""
