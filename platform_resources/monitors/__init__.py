"""Monitors as code: which ones products want, how they differ from those deployed, and what they cost."""
