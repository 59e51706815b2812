"""Queries of the ledger: readings, publications, durations, reads, indicators."""
