"""The tools that `audit.py` compares, each with how it is told the same checks and what it answers."""
