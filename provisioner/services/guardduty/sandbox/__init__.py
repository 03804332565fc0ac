"""The sandbox's rules, breaks and permissions for GuardDuty, of which moto has little."""
