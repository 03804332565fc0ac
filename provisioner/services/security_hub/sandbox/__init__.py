"""The sandbox's rules, breaks and permissions for Security Hub CSPM, of which moto has little."""
