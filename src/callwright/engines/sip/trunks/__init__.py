"""Trunks to carriers and PBXs: our registrations there, and whether they answer."""
