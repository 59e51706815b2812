"""Measures to the fewest queries, and the answers of these back to readings."""
