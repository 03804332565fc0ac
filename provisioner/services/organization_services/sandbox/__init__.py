"""Ways to take access and administrators from services, in the sandbox."""
