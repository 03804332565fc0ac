"""Rules of the services that every account uses."""
