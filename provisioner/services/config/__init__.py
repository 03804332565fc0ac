"""AWS Config: role, recorder, delivery channel, retention and rules."""
