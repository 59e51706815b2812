"""Signing in, rate limits, access requests, inboxes and tokens of people."""
