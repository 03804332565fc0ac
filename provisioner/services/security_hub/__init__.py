"""AWS Security Hub CSPM: the hub, its standards and controls in each Region, aggregation, and the organization's administrator.

Security Hub (V2), another product with another bill, is switched on where the file asks for it, and else not looked at.
"""
