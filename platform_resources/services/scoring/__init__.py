"""Compute and store the quality score of products."""
