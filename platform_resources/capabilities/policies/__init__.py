"""Policies that every product must fulfil, one file each."""
