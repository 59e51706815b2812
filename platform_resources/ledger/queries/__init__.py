"""Questions that the ledger answers: readings, publications, durations, reads, standings."""
