"""Templates and programs with which `provision repair` is deployed."""
