"""Promises that are kept, or not, by each group of rows."""
