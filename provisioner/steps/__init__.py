"""The registry of steps and sections, and building blocks that several services share. It names no service."""
