"""The sandbox's rules, breaks and permissions for Macie, most of which moto lacks."""
