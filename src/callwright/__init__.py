"""Callwright: a self-hosted Call API."""

__version__ = "0.1.0"
