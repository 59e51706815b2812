"""Conditions and aggregates that teams write in SQL."""
