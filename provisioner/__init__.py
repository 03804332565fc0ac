"""Bring AWS accounts to one described security baseline, and keep them there."""

__version__ = "0.1.0"
