"""The sandbox's rules, breaks and permissions for Access Analyzer, which moto lacks."""
