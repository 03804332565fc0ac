"""The sandbox's rules, breaks and permissions for the settings of the account, most of which moto lacks."""
