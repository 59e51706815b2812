"""The tools that `audit_peers.py` compares, each with how it is told the same checks and what it answers."""
