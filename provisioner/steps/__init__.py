"""What a step is made of: the registry, and what several services share. No service by name."""
