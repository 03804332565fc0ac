"""AWS's rules of the services that every account has."""
